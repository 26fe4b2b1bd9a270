import { describe, expect, it } from '@jest/globals';
import type { AuditRecord, ChainHead } from '../../core/audit/chain.ts';
import { verifyChain } from '../../core/audit/chain.ts';
import type { LedgerEntry } from '../../core/billing/ledger.ts';
import type { Consent, ConsentTerms, ConsentUsage } from '../../core/consent/consent.ts';
import { applyCommit } from '../../core/lending/apply.ts';
import type { LoanCommit, LoanSnapshot } from '../../core/lending/commit.ts';
import { giveBackMove, takeBackMove } from '../../core/lending/moves.ts';
import type { LoanRequest } from '../../core/lending/request.ts';
import { request } from '../../core/lending/request.ts';
import type { Offer } from '../../core/lending/saga.ts';
import { activate, beginReturn, reclaim, recordGiven, recordTaken, reserve, settle } from '../../core/lending/saga.ts';
import type { PairingState } from '../../core/pairing/pairing.ts';
import type { Pool } from '../../core/pool.ts';
import type { LoanStore } from '../../core/ports.ts';
import type { AccountId, LoanId, PoolId } from '../../core/units.ts';
import { invariant, microUsd, plusMillis, poolId } from '../../core/units.ts';
import { consentOf, groupOf, NOW, poolOf, REGION, termsOf } from './fixtures.ts';
import { sha256Hex } from './memory-store.ts';

/** The accounts of one test. Where a store outlives a test, each test has accounts of its own. */
export interface Parties {
  readonly borrower: AccountId;
  readonly lender: AccountId;
}

/** A store under test, empty of what concerns its parties, with the ways to fill it and to look into it that the port does not have. */
export interface StoreUnderTest {
  readonly store: LoanStore;
  readonly parties: Parties;
  putPool(pool: Pool): Promise<void>;
  /** Makes this the account's current consent. */
  putConsent(consent: Consent): Promise<void>;
  /** Writes how the pairing of two pools stands. */
  putPairing(lender: PoolId, borrower: PoolId, state: PairingState): Promise<void>;
  /** Stops an account by its kill switch. */
  stop(account: AccountId): Promise<void>;
  poolOf(id: PoolId): Promise<Pool>;
  usageOf(account: AccountId): Promise<ConsentUsage>;
  ledgerOf(account: AccountId): Promise<readonly LedgerEntry[]>;
  chainOf(account: AccountId): Promise<{ readonly records: readonly AuditRecord[]; readonly head: ChainHead }>;
}

export const UNITS = 2;
const borrowerPoolOf = ({ parties }: StoreUnderTest): Pool =>
  poolOf(parties.borrower, {}, { provisioningLimitUnits: 4 });
export const lenderPoolOf = ({ parties }: StoreUnderTest): Pool => poolOf(parties.lender);

/** The request of the loan of a number; its id is of these parties alone. */
export function wanted({ parties }: StoreUnderTest, serial: number): LoanRequest {
  const { borrower } = parties;
  return {
    loanId: `ln-${borrower}${String(serial).padStart(12, '0')}` as LoanId,
    borrowerAccountId: borrower,
    borrowerPoolId: poolId(borrower, REGION, 'web'),
    units: UNITS,
    bindingResource: 'cpu',
    alarmName: 'entangle/web/cpu',
    alarmTransitionAt: NOW,
    startedBy: 'borrow-test-0',
    inServiceBefore: 10,
    reason: 'cpu needs 12 units, the ceiling is 10',
  };
}

export function offerOf({ parties }: StoreUnderTest, lender: Pool, lend = consentOf(parties.lender)): Offer {
  return {
    units: UNITS,
    priceMicroUsdPerUnitHour: microUsd(40_000),
    termSeconds: 3_600,
    shortestTermSeconds: 600,
    borrowerConsent: consentOf(parties.borrower),
    borrowerGroup: groupOf({ desiredCapacity: 10 }),
    lender: { pool: lender, consent: lend, group: groupOf({ desiredCapacity: 3 }) },
    reasons: [{ text: 'first of one' }],
  };
}

/** Reads a loan with the pools that the offer names, as the choice of a lender does. */
export async function requested(under: StoreUnderTest, serial = 1): Promise<LoanSnapshot> {
  await under.store.commit(request(wanted(under, serial), NOW), {});
  return read(under, serial);
}

export async function read(under: StoreUnderTest, serial = 1): Promise<LoanSnapshot> {
  const snapshot = await under.store.readSnapshot(wanted(under, serial).loanId);
  invariant(snapshot !== undefined, 'the loan was stored');
  return snapshot;
}

export async function filled(make: () => Promise<StoreUnderTest>): Promise<StoreUnderTest> {
  const under = await make();
  await under.putPool(borrowerPoolOf(under));
  await under.putPool(lenderPoolOf(under));
  await under.putConsent(consentOf(under.parties.borrower));
  await under.putConsent(consentOf(under.parties.lender));
  await under.putPairing(lenderPoolOf(under).spec.poolId, borrowerPoolOf(under).spec.poolId, 'active');
  return under;
}

async function refusedWith(under: StoreUnderTest, commit: LoanCommit): Promise<{ name: string; conflicts: string[] }> {
  const refused: unknown = await under.store.commit(commit, {}).then(
    () => new Error('the commit went through'),
    (error: unknown) => error,
  );
  expect(refused).toHaveProperty('conflicts');
  return refused as { name: string; conflicts: string[] };
}

/** A loan of its full way, each commit written with the snapshot of the one before it. */
async function goAllTheWay(under: StoreUnderTest): Promise<LoanSnapshot> {
  let snapshot = await requested(under);
  let heads = snapshot.heads;
  const write = async (commit: LoanCommit) => {
    heads = await under.store.commit(commit, heads);
    snapshot = applyCommit(snapshot, commit);
  };
  await write(reserve(snapshot, offerOf(under, lenderPoolOf(under)), NOW));
  snapshot = await read(under);
  await write(recordTaken(snapshot, NOW));
  await write(recordGiven(snapshot, NOW));
  await write(activate(snapshot, NOW));
  const later = plusMillis(NOW, 1_800_000);
  const borrowing = groupOf({ maxSize: 12, desiredCapacity: 12 });
  await write(beginReturn(snapshot, 'recovered', takeBackMove(snapshot.borrowerPool, borrowing, snapshot.loan), later));
  const lending = groupOf({ maxSize: 8, desiredCapacity: 3 });
  await write(
    reclaim(snapshot, giveBackMove(snapshot.lenderPool ?? lenderPoolOf(under), lending, snapshot.loan), later),
  );
  await write(settle(snapshot, later));
  return snapshot;
}

/** What every store of loans does. Run against each implementation. */
export function loanStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a store of loans`, () => {
    keepsWhatIsCommitted(make);
    refusesStaleCommits(make);
    refusesPairsThatHaveParted(make);
    refusesAccountsThatAreStopped(make);
    refusesWhatConsentsDoNotCover(make);
  });
}

function keepsWhatIsCommitted(make: () => Promise<StoreUnderTest>): void {
  describe('keeping what is committed', () => {
    it('keeps a loan over its whole way: counters, limits, money and records end where they should', async () => {
      const under = await filled(make);
      const { loan } = await goAllTheWay(under);
      expect((await read(under)).loan).toEqual(loan);
      expect(loan).toMatchObject({ state: 'returned', billedMicroUsd: 40_000 });
      const borrower = await under.poolOf(poolId(under.parties.borrower, REGION, 'web'));
      expect(borrower).toMatchObject({ borrowedUnits: 0, coolDownUntil: NOW + 2_400_000 });
      expect(borrower).not.toHaveProperty('movingLoanId');
      expect(await under.poolOf(poolId(under.parties.lender, REGION, 'web'))).toMatchObject({
        lentUnits: 0,
        ownedUnits: 10,
      });
      // Half an hour of two units is one unit-hour.
      expect(await under.usageOf(under.parties.borrower)).toMatchObject({
        borrowedUnits: 0,
        borrowedUnitSeconds: { '2026-11': 3_600 },
        creditUnitSeconds: { '2026-11': -3_600 },
      });
      expect(await under.usageOf(under.parties.lender)).toMatchObject({
        lentUnits: 0,
        lentUnitSeconds: { '2026-11': 3_600 },
        creditUnitSeconds: { '2026-11': 3_600 },
      });
      const amounts = (await under.ledgerOf(under.parties.lender)).map(({ phase, amountMicroUsd }) => [
        phase,
        amountMicroUsd,
      ]);
      expect(new Map(amounts as [string, number][])).toEqual(
        new Map([
          ['pending', 80_000],
          ['voided', -80_000],
          ['posted', 40_000],
        ]),
      );
      const chains = [await under.chainOf(under.parties.borrower), await under.chainOf(under.parties.lender)];
      expect(chains.map(({ records, head }) => verifyChain(records, head, sha256Hex))).toEqual([[], []]);
      expect(chains.reduce((sum, { records }) => sum + records.length, 0)).toBe(8);
    });

    it('reads nothing of a loan that is not there', async () => {
      const under = await filled(make);
      expect(await under.store.readSnapshot(wanted(under, 9).loanId)).toBeUndefined();
    });

    it('finds the end of a chain by itself when the hint is old', async () => {
      const under = await filled(make);
      const first = await requested(under, 1);
      await requested(under, 2);
      const heads = await under.store.commit(request(wanted(under, 3), NOW), first.heads);
      const { records, head } = await under.chainOf(under.parties.borrower);
      expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(heads[under.parties.borrower]).toEqual({ seq: head.seq, hash: head.hash });
      expect(verifyChain(records, head, sha256Hex)).toEqual([]);
    });
  });
}

function refusesStaleCommits(make: () => Promise<StoreUnderTest>): void {
  describe('a commit from what no longer stands', () => {
    it('makes one loan of a request that comes twice', async () => {
      const under = await filled(make);
      await requested(under);
      expect(await refusedWith(under, request(wanted(under, 1), NOW))).toMatchObject({ name: 'StaleSnapshot' });
      expect((await under.chainOf(under.parties.borrower)).records).toHaveLength(1);
    });

    it('lets one of several commits from the same snapshot through', async () => {
      const under = await filled(make);
      const snapshot = await requested(under);
      const commit = reserve(snapshot, offerOf(under, lenderPoolOf(under)), NOW);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 5 }, () => under.store.commit(commit, snapshot.heads)),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await under.poolOf(poolId(under.parties.lender, REGION, 'web'))).toMatchObject({ lentUnits: UNITS });
      expect(await under.ledgerOf(under.parties.borrower)).toHaveLength(1);
    });

    it('writes nothing of a commit of which one condition does not hold', async () => {
      const under = await filled(make);
      const snapshot = await requested(under);
      await under.putPool({ ...lenderPoolOf(under), version: 2 });
      const refused = await refusedWith(under, reserve(snapshot, offerOf(under, lenderPoolOf(under)), NOW));
      expect(refused.name).toBe('StaleSnapshot');
      expect(refused.conflicts.join()).toContain(poolId(under.parties.lender, REGION, 'web'));
      expect((await read(under)).loan.state).toBe('requested');
      expect(await under.poolOf(poolId(under.parties.borrower, REGION, 'web'))).toMatchObject({
        borrowedUnits: 0,
        version: 1,
      });
      expect(await under.usageOf(under.parties.borrower)).toMatchObject({ borrowedUnits: 0 });
      expect(await under.ledgerOf(under.parties.borrower)).toHaveLength(0);
      expect((await under.chainOf(under.parties.lender)).records).toHaveLength(0);
    });

    it('does not move a pool that another loan is moving', async () => {
      const under = await filled(make);
      const snapshot = await requested(under);
      const moving = { ...lenderPoolOf(under), movingLoanId: wanted(under, 7).loanId };
      await under.putPool(moving);
      expect(await refusedWith(under, reserve(snapshot, offerOf(under, moving), NOW))).toMatchObject({
        name: 'StaleSnapshot',
      });
    });
  });
}

function refusesAccountsThatAreStopped(make: () => Promise<StoreUnderTest>): void {
  describe('a reservation with an account that is stopped meanwhile', () => {
    it.each(['borrower', 'lender'] as const)('is not made when it is the %s', async (side) => {
      const under = await filled(make);
      const snapshot = await requested(under);
      await under.stop(under.parties[side]);
      const refused = await refusedWith(under, reserve(snapshot, offerOf(under, lenderPoolOf(under)), NOW));
      expect(refused.name).toBe('StaleSnapshot');
      expect(refused.conflicts).toEqual([`account ${under.parties[side]} is not stopped`]);
      expect((await read(under)).loan.state).toBe('requested');
    });
  });
}

function refusesPairsThatHaveParted(make: () => Promise<StoreUnderTest>): void {
  describe('a reservation of a pair', () => {
    it.each(['ended', 'paused', 'proposed'] as const)('is not made once its pairing is %s', async (state) => {
      const under = await filled(make);
      const snapshot = await requested(under);
      const { poolId: lenderPoolId } = lenderPoolOf(under).spec;
      await under.putPairing(lenderPoolId, snapshot.loan.borrowerPoolId, state);
      const refused = await refusedWith(under, reserve(snapshot, offerOf(under, lenderPoolOf(under)), NOW));
      expect(refused.name).toBe('StaleSnapshot');
      expect(refused.conflicts.join()).toContain(`the pairing of ${lenderPoolId}`);
      expect((await read(under)).loan.state).toBe('requested');
      expect(await under.usageOf(under.parties.lender)).toMatchObject({ lentUnits: 0 });
    });

    it('goes on when its pairing ends after it was made', async () => {
      const under = await filled(make);
      let snapshot = await requested(under);
      await under.store.commit(reserve(snapshot, offerOf(under, lenderPoolOf(under)), NOW), snapshot.heads);
      await under.putPairing(lenderPoolOf(under).spec.poolId, snapshot.loan.borrowerPoolId, 'ended');
      snapshot = await read(under);
      await under.store.commit(recordTaken(snapshot, NOW), snapshot.heads);
      expect((await read(under)).loan.state).toBe('taken');
    });
  });
}

function refusesWhatConsentsDoNotCover(make: () => Promise<StoreUnderTest>): void {
  describe('a commit that consents do not cover', () => {
    it.each([
      ['revoked', (lender: AccountId) => consentOf(lender, {}, { status: 'revoked' })],
      ['replaced', (lender: AccountId) => consentOf(lender, {}, { version: 2 })],
      ['expired', (lender: AccountId) => consentOf(lender, { validUntil: NOW })],
    ])('does not reserve under a consent that was %s meanwhile', async (_how, changed) => {
      const under = await filled(make);
      const consent = changed(under.parties.lender);
      const snapshot = await requested(under);
      await under.putConsent(consent);
      const refused = await refusedWith(under, reserve(snapshot, offerOf(under, lenderPoolOf(under)), NOW));
      expect(refused.name).toBe('StaleSnapshot');
      expect(refused.conflicts.join()).toContain(`consent of ${under.parties.lender}`);
    });

    it.each([
      ['units', { maxUnits: 3 }],
      ['unit-hours', { maxUnitHoursPerMonth: 3 }],
    ])('does not pass the %s that a consent allows', async (_what, limit) => {
      const under = await filled(make);
      const lend = { ...(termsOf().lend as NonNullable<ConsentTerms['lend']>), ...limit };
      const consent = consentOf(under.parties.lender, { lend });
      await under.putConsent(consent);
      const first = await requested(under, 1);
      const offer = offerOf(under, lenderPoolOf(under), consent);
      await under.store.commit(reserve(first, offer, NOW), first.heads);
      // A second borrower, so that only the limit of the lender stands in the way.
      const otherPool = poolOf(under.parties.borrower, {}, { groupName: 'batch' });
      const otherLender = poolOf(under.parties.lender, {}, { groupName: 'batch' });
      await under.putPool(otherPool);
      await under.putPool(otherLender);
      await under.putPairing(otherLender.spec.poolId, otherPool.spec.poolId, 'active');
      await under.store.commit(
        request({ ...wanted(under, 2), borrowerPoolId: poolId(under.parties.borrower, REGION, 'batch') }, NOW),
        {},
      );
      const second = await read(under, 2);
      const refused = await refusedWith(under, reserve(second, offerOf(under, otherLender, consent), NOW));
      expect(refused.name).toBe('LimitReached');
      expect(await under.usageOf(under.parties.lender)).toMatchObject({ lentUnits: UNITS });
    });
  });
}
