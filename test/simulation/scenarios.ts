/** Runs a scenario in the simulation. */
import { BORROWER, LENDER, specOf, termsOf } from '../support/fixtures.ts';
import { calm } from './faults.ts';
import { Owners } from './owners.ts';
import type { PlannedPool } from './pool-plan.ts';
import type { Shipped } from './runtime.ts';
import type { Scenario } from './scenario-list.ts';
import { Telemetry } from './telemetry.ts';
import { Timetable } from './timetable.ts';
import { World } from './world.ts';
import type { WorldPlan } from './world-plan.ts';

const MINUTE_MILLIS = 60_000;
const ACTIVE_MILLIS = 40 * MINUTE_MILLIS;

function poolOf(account: typeof LENDER, ownedUnits: number, minSize: number, surgeUnits: number): PlannedPool {
  return {
    spec: specOf(account, { groupName: account === LENDER ? 'lender' : 'borrower', reserveUnits: 1 }),
    setUp: { protectedShare: 0 },
    ownedUnits,
    minSize,
    size: 1,
    baseUnits: 0.5,
    swingUnits: 0,
    periodMillis: ACTIVE_MILLIS,
    phase: 0,
    surges: [{ fromMillis: 5 * MINUTE_MILLIS, toMillis: ACTIVE_MILLIS, units: surgeUnits }],
    mostPercent: 100,
  };
}

function planOf(): WorldPlan {
  const terms = termsOf({ shortestTermSeconds: 60, longestTermSeconds: 3_000, maxLatencyMillis: 100 });
  return {
    seed: 0,
    startMillis: Date.UTC(2025, 0, 1),
    activeMillis: ACTIVE_MILLIS,
    quietMillis: 90 * MINUTE_MILLIS,
    accounts: [LENDER, BORROWER].map((accountId) => ({ accountId, terms })),
    organisation: [],
    isCrowded: false,
    sharesByInvitation: false,
    keepsForecasts: false,
    measureMinutes: 30,
    pools: [poolOf(LENDER, 8, 2, 0), poolOf(BORROWER, 4, 4, 3.3)],
    faults: calm(),
    skew: { mostMillis: 0 },
    reconcileMinutes: 5,
    lookAheadMinutes: 30,
    planHours: 6,
    pageItems: 100,
    indexLagMillis: 10,
    rare: { outages: [], habits: { changeTerms: false, limitPairings: false } },
  };
}

/** The states of the first loan of a scenario, in their order. @throws Error when something did not hold meanwhile */
export async function runScenario({ fault }: Scenario, shipped: Shipped): Promise<string[]> {
  const plan = planOf();
  const world = new World(plan, shipped);
  let left = fault?.times ?? 0;
  const strikes = (isMeant: boolean): boolean => {
    if (!isMeant || left === 0) return false;
    left -= 1;
    return true;
  };
  world.script = {
    callOf: (name) =>
      fault !== undefined && 'functionName' in fault && strikes(fault.functionName === name) ? fault.when : undefined,
    failsMove: (accountId) =>
      fault !== undefined &&
      'moveOf' in fault &&
      strikes(accountId === (fault.moveOf === 'lender' ? LENDER : BORROWER)),
  };
  new Telemetry(world).begin();
  const owners = new Owners(world);
  void owners.begin().then(() => new Timetable(world).begin());
  await world.runUntil(plan.activeMillis + plan.quietMillis);
  if (world.checks.violation === undefined) world.checks.atRest();
  if (world.checks.violation !== undefined) throw new Error(world.checks.violation.what);
  return world.statesOfFirstLoan();
}
