import type { Consent, UsageLimits } from '../consent/consent.ts';
import { withinWindows } from '../consent/covers.ts';
import { loanSubstanceOf } from '../pairing/gates.ts';
import type { PairingInput } from '../pairing/pair.ts';
import { pairContext } from '../pairing/pair.ts';
import { PairGates } from '../pairing/pair-gates.ts';
import { counterfactualOf, savingCommitments } from '../pairing/savings.ts';
import type { Pool } from '../pool.ts';
import type { EpochMillis, MicroUsd } from '../units.ts';
import { microUsd } from '../units.ts';
import type { Scenario } from './scenario.ts';
import type { Traces } from './traces.ts';
import { firstMeasuredStep, percentileOf } from './traces.ts';

/** One direction of a consent, in units; infinite where nothing is said. */
export interface SideLimits {
  readonly maxUnits: number;
  readonly maxShare: number;
  readonly maxUnitHoursPerMonth: number;
}

/** A pool of the replay. */
export interface Participant {
  readonly poolId: string;
  /** Place of its account in the list of accounts. */
  readonly account: number;
  readonly ownedUnits: number;
  readonly reserveUnits: number;
  readonly lend: SideLimits | undefined;
  readonly borrow: SideLimits | undefined;
  readonly recallNoticeSeconds: number;
  readonly priceMicroUsdPerUnitHour: MicroUsd;
  readonly shortestTermSeconds: number;
  readonly longestTermSeconds: number;
  readonly onDemandMicroUsdPerUnitHour: MicroUsd;
  /** Whether a shortage is bought on demand when nobody lends. */
  readonly buysOnDemand: boolean;
  /** Share of what it owns that it has paid for and that a physical loan takes with it. */
  readonly paidShare: number;
  /** Whether what it borrows may be reserved capacity: other loans move a ceiling and save no money. */
  readonly launchesIntoReservations: boolean;
  readonly consent: Consent | undefined;
}

/** Who takes part in a replay, in the order of the traces. */
export interface Participants {
  readonly pools: readonly Participant[];
  readonly accounts: readonly string[];
  /** Whether only whole units are lent. */
  readonly wholeUnits: boolean;
  /** Whether a pool may lend to another one as far as consents and facts say; places in `pools`. */
  mayLend(lender: number, borrower: number): boolean;
  /** Whether a pool's consent applies at a moment of the week. */
  isOpen(pool: number, at: EpochMillis): boolean;
}

const UNLIMITED: SideLimits = {
  maxUnits: Number.POSITIVE_INFINITY,
  // Finite: a share of nothing owned is nothing.
  maxShare: Number.MAX_VALUE,
  maxUnitHoursPerMonth: Number.POSITIVE_INFINITY,
};

function sideOf(limits: UsageLimits | undefined, { usageLimits }: Scenario): SideLimits | undefined {
  if (limits === undefined) return undefined;
  if (usageLimits === 'ignored') return UNLIMITED;
  const { maxUnits, maxSharePercent, maxUnitHoursPerMonth } = limits;
  return { maxUnits, maxShare: maxSharePercent / 100, maxUnitHoursPerMonth };
}

/** As pairing counts savings. */
function paidShareOf({ spec, ownedUnits }: Pool): number {
  if (loanSubstanceOf(spec) === 'nominal' || ownedUnits === 0) return 0;
  const paid = savingCommitments(spec).reduce((sum, { units }) => sum + units, 0);
  return Math.min(1, paid / ownedUnits);
}

function participantOf(
  pool: Pool,
  account: number,
  ownedUnits: number,
  consent: Consent | undefined,
  scenario: Scenario,
): Participant {
  const { spec } = pool;
  const terms = consent?.status === 'active' ? consent.terms : undefined;
  return {
    poolId: spec.poolId,
    account,
    ownedUnits,
    reserveUnits: spec.reserveUnits,
    lend: sideOf(terms?.lend, scenario),
    borrow: sideOf(terms?.borrow, scenario),
    recallNoticeSeconds: terms?.lend?.recallNoticeSeconds ?? 0,
    priceMicroUsdPerUnitHour: terms?.lend?.minPriceMicroUsdPerUnitHour ?? microUsd(0),
    shortestTermSeconds: terms?.shortestTermSeconds ?? 0,
    longestTermSeconds: terms?.longestTermSeconds ?? Number.POSITIVE_INFINITY,
    onDemandMicroUsdPerUnitHour: spec.onDemandMicroUsdPerUnitHour,
    buysOnDemand: counterfactualOf(spec).kind === 'on-demand',
    paidShare: paidShareOf(pool),
    launchesIntoReservations: spec.launchesIntoReservations === true,
    consent,
  };
}

/** What a pool owns in the replay: as the fleet says, or a percentile of its training weeks. */
function ownedUnitsOf(pool: Pool, demand: Float64Array, traces: Traces, scenario: Scenario): number {
  const { commitmentPercentile, trainingSeconds, wholeUnits = true } = scenario;
  if (commitmentPercentile === undefined) return pool.ownedUnits;
  const training = demand.subarray(0, firstMeasuredStep(traces, trainingSeconds));
  const units = percentileOf(training, commitmentPercentile);
  return wholeUnits ? Math.round(units) : units;
}

/**
 * The pools of a fleet that the traces tell about.
 * @param input every pool of the traces is in it
 */
export function participantsOf(input: PairingInput, traces: Traces, scenario: Scenario): Participants {
  const poolById = new Map(input.pools.map((pool) => [pool.spec.poolId as string, pool]));
  const context = pairContext(input);
  const accounts: string[] = [];
  const accountPlaces = new Map<string, number>();
  const known = traces.poolIds.flatMap((id) => poolById.get(id) ?? []);
  const pools = known.map((pool, place) => {
    const { accountId } = pool.spec;
    const account = accountPlaces.get(accountId) ?? accounts.push(accountId) - 1;
    accountPlaces.set(accountId, account);
    const owned = ownedUnitsOf(pool, traces.demand[place] as Float64Array, traces, scenario);
    return participantOf(pool, account, owned, context.consentOf(accountId), scenario);
  });
  const gates = new PairGates(known, context);
  return {
    pools,
    accounts,
    wholeUnits: scenario.wholeUnits ?? pools.every(({ ownedUnits }) => Number.isInteger(ownedUnits)),
    mayLend: (lender, borrower) => {
      const { gate, unitRatio } = gates.answer(lender, borrower);
      return gate === undefined && unitRatio === 1;
    },
    isOpen: (pool, at) => {
      const consent = pools[pool]?.consent;
      return consent !== undefined && withinWindows(consent.terms.windows, at);
    },
  };
}
