import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { ConsentTerms } from '../../../core/consent/consent.ts';
import { planBucket } from '../../../core/pairing/bucket.ts';
import { lendInCircles } from '../../../core/pairing/circle-plan.ts';
import type { Pairing } from '../../../core/pairing/pairing.ts';
import { isOpenPairing } from '../../../core/pairing/pairing.ts';
import type { AccountId } from '../../../core/units.ts';
import { plusMillis } from '../../../core/units.ts';
import type { BucketScene } from '../../support/bucket-story.ts';
import { bucketAccount, bucketOf, storedAfter } from '../../support/bucket-story.ts';
import { consentOf, NOW } from '../../support/fixtures.ts';
import { poolWith } from '../../support/matching-fixtures.ts';

const DAY = 86_400_000;
const SLOTS = 8;
/** Ten are owned and one is kept in reserve: the need of a quarter of the slots, 2 in the others. */
const needOf = (quarter: number, busy: number) =>
  Array.from({ length: SLOTS }, (_, slot) => (Math.floor(slot / 2) === quarter ? busy : 2));

const open = (pairings: readonly Pairing[]) => pairings.filter(isOpenPairing);

/** The accounts of each circle that open pairings name. */
function circlesIn(pairings: readonly Pairing[]): Map<string, Set<AccountId>> {
  const found = new Map<string, Set<AccountId>>();
  for (const { circleId, lenderAccountId, borrowerAccountId } of open(pairings)) {
    if (circleId === undefined) continue;
    const members = found.get(circleId) ?? new Set<AccountId>();
    found.set(circleId, members.add(lenderAccountId).add(borrowerAccountId));
  }
  return found;
}

/** All accounts with the same terms. */
function agreeing(count: number, terms: Partial<ConsentTerms>): NonNullable<BucketScene['consents']> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [index, consentOf(bucketAccount(index), terms)]),
  );
}

const member = fc.record({
  quarter: fc.nat({ max: 3 }),
  busy: fc.integer({ min: 3, max: 14 }),
  limit: fc.option(fc.integer({ min: 2, max: 4 }), { nil: undefined }),
  maxPartners: fc.integer({ min: 1, max: 2 }),
  /** Whom it does not deal with. */
  denies: fc.option(fc.nat({ max: 6 }), { nil: undefined }),
});

const bucket = fc.array(member, { minLength: 2, maxLength: 7 }).map((members) => ({
  members,
  scene: {
    needs: members.map(({ quarter, busy }) => needOf(quarter, busy)),
    consents: Object.fromEntries(
      members.map(({ limit, denies, maxPartners }, index) => {
        const terms = {
          maxPartners,
          ...(limit === undefined ? {} : { maxCircleAccounts: limit }),
          deniedCounterparties: denies === undefined || denies === index ? [] : [bucketAccount(denies)],
        };
        return [index, consentOf(bucketAccount(index), terms)];
      }),
    ),
  },
}));

describe('circles of a bucket', () => {
  it('are no larger than any member wants, pass every gate both ways, and are the same in any order', () => {
    fc.assert(
      fc.property(bucket, ({ members, scene }) => {
        const input = bucketOf(scene);
        const plan = planBucket(input);
        expect(planBucket({ ...input, pools: input.pools.toReversed() })).toEqual(plan);
        const stored = storedAfter([], plan);
        const of = new Map(members.map((each, index) => [bucketAccount(index), { ...each, index }]));
        for (const accounts of circlesIn(stored).values()) {
          for (const account of accounts) {
            const { limit, denies } = of.get(account) ?? {};
            expect(accounts.size).toBeLessThanOrEqual(limit ?? 0);
            for (const other of accounts) expect(other === account || of.get(other)?.index !== denies).toBe(true);
          }
        }
        for (const [index, { maxPartners }] of members.entries()) {
          const borrowed = open(stored).filter(({ borrowerAccountId: by }) => by === bucketAccount(index));
          expect(borrowed.filter(({ circleId }) => circleId === undefined).length).toBeLessThanOrEqual(maxPartners);
        }
      }),
      { numRuns: 15 },
    );
  });

  it('stay when the same is planned again, pairs beyond the number of partners too', () => {
    fc.assert(
      fc.property(bucket, ({ scene }) => {
        const stored = storedAfter([], planBucket(bucketOf(scene)));
        const again = planBucket(bucketOf({ ...scene, existing: stored }));
        expect(again.merge.changes).toEqual([]);
        expect(circlesIn(storedAfter(stored, again))).toEqual(circlesIn(stored));
      }),
      { numRuns: 25 },
    );
  });

  const five = [0, 1, 2, 3, 0].map((quarter) => needOf(quarter, 12));
  const terms = { maxCircleAccounts: 5, maxPartners: 1 };

  it('pair every member with every other one in both directions, under one id', () => {
    const plan = planBucket(bucketOf({ needs: five, consents: agreeing(5, terms) }));
    const stored = storedAfter([], plan);
    expect(stored).toHaveLength(20);
    expect(new Set(stored.map(({ state }) => state))).toEqual(new Set(['active']));
    const [id, ...others] = new Set(stored.map(({ circleId }) => circleId));
    expect(others).toEqual([]);
    expect(id).toMatch(/^ci-[0-9a-f]{24}$/);
    expect(plan.merge.changes[0]?.audit.detail).toMatchObject({ circleId: id });
    expect(plan.merge.changes[0]?.event.detail).toMatchObject({ circleId: id });
    for (const { partners } of plan.plans) expect(partners).toHaveLength(4);
  });

  it('wait for members that accept each pairing themselves', () => {
    const consents = {
      ...agreeing(5, terms),
      0: consentOf(bucketAccount(0), { ...terms, pairingAcceptance: 'explicit' }),
    };
    const stored = storedAfter([], planBucket(bucketOf({ needs: five, consents })));
    const waiting = stored.filter(({ state }) => state === 'accepted-by-one');
    expect(waiting).toHaveLength(8);
    for (const { lenderAccountId, borrowerAccountId } of waiting) {
      expect([lenderAccountId, borrowerAccountId]).toContain(bucketAccount(0));
    }
  });

  it('go on under their id when an account leaves, which keeps no more than its partners', () => {
    const before = storedAfter([], planBucket(bucketOf({ needs: five, consents: agreeing(5, terms) })));
    const consents = { ...agreeing(5, terms), 4: consentOf(bucketAccount(4), { maxPartners: 1 }) };
    const now = plusMillis(NOW, DAY);
    const after = storedAfter(before, planBucket(bucketOf({ needs: five, consents, existing: before, now })));
    const rest = [0, 1, 2, 3].map(bucketAccount);
    expect([...circlesIn(after)]).toEqual([[before[0]?.circleId, new Set(rest)]]);
    const left = open(after).filter((each) =>
      [each.lenderAccountId, each.borrowerAccountId].includes(bucketAccount(4)),
    );
    expect(left.filter(({ borrowerAccountId }) => borrowerAccountId === bucketAccount(4))).toHaveLength(1);
    expect(left.filter(({ lenderAccountId }) => lenderAccountId === bucketAccount(4))).toHaveLength(1);
    for (const { circleId } of left) expect(circleId).toBeUndefined();
    const ended = after.filter(({ state }) => state === 'ended');
    expect(new Set(ended.map(({ endReason }) => endReason))).toEqual(new Set(['no-longer-planned']));
  });

  it('keep their members unless another circle serves clearly more', () => {
    const always = (...needs: readonly number[]) => needs.map((need) => Array.from({ length: SLOTS }, () => need));
    const consents = agreeing(4, { maxCircleAccounts: 2, maxPartners: 1 });
    // The first two are short by what they need above ten; the others have nine less what they need.
    const before = storedAfter([], planBucket(bucketOf({ needs: always(16, 14, 3, 5), consents })));
    const membersOf = (pairings: readonly Pairing[]) =>
      new Set([...circlesIn(pairings).values()].map((members) => [...members].toSorted().join(' ')));
    const together = (...circles: readonly (readonly number[])[]) =>
      new Set(circles.map((members) => members.map(bucketAccount).toSorted().join(' ')));
    expect(membersOf(before)).toEqual(together([0, 2], [1, 3]));
    const now = plusMillis(NOW, DAY);
    const later = (...needs: readonly number[]) => {
      const plan = planBucket(bucketOf({ needs: always(...needs), consents, existing: before, now }));
      return membersOf(storedAfter(before, plan));
    };
    // Ten a slot as they are, eleven if they changed places; then four against eleven.
    expect(later(15, 16, 3, 4)).toEqual(membersOf(before));
    expect(later(12, 19, 0, 7)).toEqual(together([0, 3], [1, 2]));
  });

  it('are in nobody’s plan who has not agreed to them', () => {
    const consents = { ...agreeing(5, {}), 0: consentOf(bucketAccount(0), { maxCircleAccounts: 16 }) };
    const plan = planBucket(bucketOf({ needs: five, consents }));
    expect(circlesIn(storedAfter([], plan)).size).toBe(0);
    const without = planBucket(bucketOf({ needs: five }));
    expect(plan.plans).toEqual(without.plans);
  });
});

describe('lendInCircles', () => {
  it('gives a contested lender to the link that counts more, and leaves the rest', () => {
    const pools = [poolWith('a', [4]), poolWith('b', [-3]), poolWith('c', [-3])];
    const links = [
      { lenderId: 'a', borrowerId: 'b', weight: 1 },
      { lenderId: 'a', borrowerId: 'c', weight: 1.2 },
    ] as const;
    const { units, left } = lendInCircles(pools, links);
    expect(links.map((link) => [...(units.get(link) ?? [])])).toEqual([[1], [3]]);
    expect(left.map(({ surplus, deficit }) => [surplus[0], deficit[0]])).toEqual([
      [0, 0],
      [0, 2],
      [0, 0],
    ]);
  });

  it('moves as many units as can be moved, whatever counts more', () => {
    const pools = [poolWith('a', [2]), poolWith('b', [2]), poolWith('c', [-2]), poolWith('d', [-2])];
    const links = [
      { lenderId: 'a', borrowerId: 'c', weight: 2 },
      { lenderId: 'a', borrowerId: 'd', weight: 1 },
      { lenderId: 'b', borrowerId: 'c', weight: 1 },
    ] as const;
    const { units, left } = lendInCircles(pools, links);
    expect(links.map((link) => units.get(link)?.[0])).toEqual([undefined, 2, 2]);
    expect(left.every(({ surplus, deficit }) => surplus[0] === 0 && deficit[0] === 0)).toBe(true);
  });
});
