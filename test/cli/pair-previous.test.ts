import { describe, expect, it } from '@jest/globals';
import { accountAt, CONSENT, fleetOf, idAt, type Json, pairText, poolAt, reportOf } from './pair-command.ts';

const pair = (lender: number, borrower: number) => ({ lenderPoolId: idAt(lender), borrowerPoolId: idAt(borrower) });

/** One borrower that lacks three units in two slots, and two lenders of which either has enough. */
const SHORT = poolAt(0, [13, 13, 10]);
const pools = [SHORT, poolAt(1, [7, 7, 10]), poolAt(2, [7, 7, 10])];

describe('entangle pair beside pairings in force', () => {
  it('keeps what is in force where another lender would do as well', async () => {
    const anew = await reportOf(fleetOf(pools));
    expect(anew.churn).toBeUndefined();
    const [first] = anew.pairings;
    expect(first).not.toHaveProperty('change');
    const other = first?.lenderPoolId === idAt(1) ? 2 : 1;
    const { pairings, churn, bound } = await reportOf(fleetOf(pools, { previous: [pair(other, 0)] }));
    expect(pairings).toMatchObject([{ ...pair(other, 0), change: 'kept' }]);
    expect(churn).toEqual({
      kept: 1,
      started: 0,
      ended: 0,
      share: 0,
      // A fifth of the six unit-hours that it serves.
      switchingCostUnitHours: 1.2,
      endedPairings: [],
    });
    expect(bound.share).toBe(1);
  });

  it('weighs what a change brings against its cost', async () => {
    // The lender in force has one unit in each of two slots, the other one three.
    const unequal = [SHORT, poolAt(1, [9, 9, 10]), poolAt(2, [7, 7, 10])];
    const given = (switchingCostUnitHours: number) =>
      reportOf(fleetOf(unequal, { previous: [pair(1, 0)], switchingCostUnitHours }), '--partners', '1');
    const cheap = await given(1);
    expect(cheap.pairings).toMatchObject([{ ...pair(2, 0), change: 'new' }]);
    expect(cheap.churn).toMatchObject({ kept: 0, started: 1, ended: 1, share: 1, switchingCostUnitHours: 1 });
    expect(cheap.churn?.endedPairings).toEqual([
      { ...pair(1, 0), reason: 'it would cover 33 % of the shortage, which the plan has 1 other lender for' },
    ]);
    // Four unit-hours are won; ending one and starting another costs twice the cost.
    expect((await given(3)).pairings).toMatchObject([{ ...pair(1, 0), change: 'kept' }]);
  });

  it('counts the cost in hours, whatever the step', async () => {
    const unequal = [SHORT, poolAt(1, [9, 9, 10]), poolAt(2, [7, 7, 10])];
    const given = (stepSeconds: number) =>
      reportOf(fleetOf(unequal, { previous: [pair(1, 0)], switchingCostUnitHours: 1, stepSeconds }), '--partners', '1');
    expect((await given(3_600)).churn?.started).toBe(1);
    // In slots of ten minutes the change brings four sixths of a unit-hour.
    expect((await given(600)).churn?.started).toBe(0);
  });

  it('keeps a pairing of a borrower that is not short now, and says so', async () => {
    const calm = [poolAt(0, [10, 10]), poolAt(1, [4, 4]), poolAt(2, [13, 10])];
    const { pairings, churn } = await reportOf(fleetOf(calm, { previous: [pair(1, 0)], switchingCostUnitHours: 1 }));
    expect(churn).toMatchObject({ kept: 1, started: 1, ended: 0 });
    expect(pairings[0]).toMatchObject({ ...pair(1, 0), expectedUnits: [0, 0], change: 'kept' });
    expect(pairings[0]?.reasons[0]).toBe('in force already; no units are planned for it (P95)');
  });

  it('ends what a gate refuses now, with the gate', async () => {
    const accounts = [{ accountId: accountAt(1), consent: { ...CONSENT, deniedCounterparties: [accountAt(0)] } }];
    const fleet = fleetOf(pools, { accounts, previous: [pair(1, 0)], switchingCostUnitHours: 1_000 });
    const { churn, pairings } = await reportOf(fleet);
    expect(pairings).toMatchObject([{ ...pair(2, 0), change: 'new' }]);
    expect(churn?.endedPairings[0]?.reason).toContain('100000000000');
    const { out } = await pairText(JSON.stringify(fleet));
    expect(out).toContain('In force before: 0 kept, 1 started, 1 ended (100 % of those in force).');
    expect(out).toContain(`ended: ${idAt(1)} to ${idAt(0)}: `);
  });

  it('has no share of nothing', async () => {
    const { churn } = await reportOf(fleetOf(pools, { previous: [] }));
    expect(churn).toMatchObject({ kept: 0, started: 1, ended: 0, share: null });
  });
});

describe('entangle pair with credits', () => {
  // Two borrowers lack three units each; the lender has three.
  const scarce = (credits: Json, other: Json) => [poolAt(0, [13], credits), poolAt(1, [13], other), poolAt(2, [7])];
  const served = async (fleet: Json, n: number) =>
    (await reportOf(fleet)).pairings.find(({ borrowerPoolId }) => borrowerPoolId === idAt(n))?.expectedUnits[0] ?? 0;

  it('serves who has lent before who has borrowed', async () => {
    expect(await served(fleetOf(scarce({ credits: 9 }, { credits: -9 })), 0)).toBe(3);
    expect(await served(fleetOf(scarce({ credits: -9 }, { credits: 9 })), 1)).toBe(3);
  });

  it('reports the spread with and without them', async () => {
    // Without credits all goes to the borrower that pays most for a unit; with them to both.
    const rich = poolAt(0, [13], { onDemandUsdPerUnitHour: 0.11 });
    const fleet = fleetOf([rich, poolAt(1, [12], { credits: 9 }), poolAt(2, [7])], { creditStrength: 0.9 });
    const { fairness, bound } = await reportOf(fleet);
    expect(fairness.smallestHalfShare).toBeCloseTo(1 / 3, 5);
    expect(fairness.withoutCredits).toEqual({ smallestHalfShare: 0, served: bound.served });
    const { out } = await pairText(JSON.stringify(fleet));
    expect(out).toContain('The half of the borrowers with the least gets 33 % of it; without credits 0 %.');
  });

  it('do nothing at strength 0', async () => {
    const { pairings } = await reportOf(fleetOf(scarce({}, {})));
    const weighed = await reportOf(fleetOf(scarce({ credits: -9 }, { credits: 9 }), { creditStrength: 0 }));
    expect(weighed.pairings).toEqual(pairings);
  });
});
