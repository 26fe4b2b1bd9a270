import type { PairingInput } from '../core/pairing/pair.ts';
import { FleetError, parseFleet } from './pair-input.ts';
import type { PoolNames } from './simulate-traces.ts';

/** What is not stated where only lending is simulated: demand comes from the traces. */
const ANY_START = '2026-01-01T00:00:00Z';
const ANY_STEP_SECONDS = 3_600;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parts of units are rounded up for the checks of the file, and put back afterwards. */
function wholeOwned({ ownedUnits, ...pool }: Record<string, unknown>): Record<string, unknown> {
  const isPart = typeof ownedUnits === 'number' && ownedUnits >= 0 && !Number.isInteger(ownedUnits);
  return ownedUnits === undefined ? pool : { ...pool, ownedUnits: isPart ? Math.ceil(ownedUnits) : ownedUnits };
}

/** The fleet with demand that says nothing, so that it need not be stated. */
function withoutDemand(fleet: Record<string, unknown>): Record<string, unknown> {
  const { pools } = fleet;
  const file = { startAt: ANY_START, stepSeconds: ANY_STEP_SECONDS, ...fleet };
  if (!Array.isArray(pools)) return file;
  return {
    ...file,
    pools: pools.map((pool: unknown) => {
      if (!isObject(pool)) return pool;
      const { need: _need, balance: _balance, startAt: _start, stepSeconds: _step, ...facts } = pool;
      return { ...wholeOwned(facts), need: { p50: [0] } };
    }),
  };
}

/**
 * The pools, consents and trust of a fleet file as `entangle pair` reads it. Need and balance may be left out: demand comes from the
 * traces. Pools may own parts of units: traces may be percentages.
 * @throws FleetError with a line for everything that is wrong
 */
export function fleetOfSimulation(input: unknown): PairingInput {
  if (!isObject(input)) throw new FleetError(['the file: expected an object with pools']);
  const fleet = parseFleet(withoutDemand(input)).input;
  const stated = new Map<string, number>();
  for (const pool of Array.isArray(input.pools) ? input.pools : []) {
    if (!isObject(pool) || typeof pool.ownedUnits !== 'number') continue;
    stated.set(`${String(pool.accountId)}/${String(pool.region)}/${String(pool.groupName)}`, pool.ownedUnits);
  }
  const pools = fleet.pools.map((pool) => ({ ...pool, ownedUnits: stated.get(pool.spec.poolId) ?? pool.ownedUnits }));
  return { ...fleet, pools };
}

/** Pools by id, or by group name where only one has it. */
export function poolNames({ pools }: PairingInput): PoolNames {
  const ids = new Set(pools.map(({ spec }) => spec.poolId as string));
  const byGroup = new Map<string, string | undefined>();
  for (const { spec } of pools) byGroup.set(spec.groupName, byGroup.has(spec.groupName) ? undefined : spec.poolId);
  return (name) => (ids.has(name) ? name : byGroup.get(name));
}
