/** Runs the world of one seed from its beginning to its rest. */
import type { Violation } from './checks/checks.ts';
import { coveredBy } from './coverage.ts';
import { Owners } from './owners.ts';
import type { Shipped } from './runtime.ts';
import { Telemetry } from './telemetry.ts';
import { Timetable } from './timetable.ts';
import { World } from './world.ts';
import { drawWorld } from './world-plan.ts';

export interface SeedResult {
  readonly seed: number;
  readonly digest: string;
  readonly events: number;
  readonly simulatedMillis: number;
  readonly loans: number;
  readonly loansActive: number;
  readonly invocations: number;
  /** Where it was asked for: all that has occurred. */
  readonly covered?: readonly string[];
  readonly violation?: Violation & { readonly lastLines: readonly string[] };
}

/**
 * @param showsCoverage whether the result says what has occurred
 * @throws Error when the simulation itself goes wrong
 */
export async function runSeed(seed: number, shipped: Shipped, showsCoverage = false): Promise<SeedResult> {
  const plan = drawWorld(seed);
  const world = new World(plan, shipped);
  const owners = new Owners(world);
  new Telemetry(world).begin();
  void owners.begin().then(() => new Timetable(world).begin());
  await world.runUntil(plan.activeMillis + plan.quietMillis);
  if (world.checks.violation === undefined) world.checks.atRest();
  const loans = [...world.tables.all('entangle-loans')];
  const { violation } = world.checks;
  return {
    seed,
    digest: world.engine.trace.digest,
    events: world.engine.trace.lines,
    simulatedMillis: world.engine.elapsedMillis,
    loans: loans.length,
    loansActive: loans.filter((loan) => loan['activeAt'] !== undefined).length,
    invocations: world.lambda.invocations,
    ...(showsCoverage ? { covered: coveredBy(world) } : {}),
    ...(violation === undefined ? {} : { violation: { ...violation, lastLines: world.engine.trace.lastLines } }),
  };
}
