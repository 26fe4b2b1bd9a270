/**
 * What the hub sees of the harm that lending does: at each look ahead the units that a pool has lent, and its need in the steps that were
 * measured since. Kept with the pool's outlook; the replay of traces counts the same at each step (core/whatif/harm-record.ts).
 */
import type { NeedSeries } from '../telemetry/need-series.ts';
import type { EpochMillis } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND } from '../units.ts';
import { fleetPrior, fleetRate, harmedUnits, keptShare, ownPrior, riskFactor } from './harm.ts';

const SECONDS_AN_HOUR = 3_600;
/** Less counts as nothing; it would only become smaller for ever. */
const LEAST_UNIT_HOURS = 1e-9;
/** What is lent rarely changes between a look and the moment up to which needs are known. */
const MOST_SPANS = 12;

/** What looks have seen lent: from the first that saw so many units until another saw other ones. */
interface LentSpan {
  readonly from: EpochMillis;
  /** Until the next look is overdue, where none came. */
  readonly until: EpochMillis;
  readonly units: number;
}

/** What a pool has lent and what harm that did it, as both still count: half of it after 19 days. */
export interface SeenHarm {
  readonly lentUnitHours: number;
  /** Of its need, what its loans left unserved. */
  readonly harmedUnitHours: number;
  /** End of the last step that is counted; it never goes back. */
  readonly countedUntil: EpochMillis;
  /** Of times whose steps are not all counted yet, oldest first. At other times nothing was seen lent. */
  readonly lent: readonly LentSpan[];
}

/** The pools of all accounts together, at the end of a look at all of them. */
export interface FleetHarm {
  readonly lentUnitHours: number;
  readonly harmedUnitHours: number;
  readonly ownedUnits: number;
  readonly at: EpochMillis;
}

type UnitHours = Pick<SeenHarm, 'lentUnitHours' | 'harmedUnitHours'>;

function decayed({ lentUnitHours, harmedUnitHours }: UnitHours, millis: number): UnitHours {
  const kept = keptShare(Math.max(0, millis) / MILLIS_PER_SECOND);
  return { lentUnitHours: lentUnitHours * kept, harmedUnitHours: harmedUnitHours * kept };
}

/** A look ends what the one before saw, or continues it. One that is older than the newest changes nothing. */
function withLook(
  spans: readonly LentSpan[],
  { lentUnits: units, now: from, holdsUntil: until }: Pick<LookAtLender, 'lentUnits' | 'now' | 'holdsUntil'>,
): LentSpan[] {
  const last = spans.at(-1);
  if (last !== undefined && last.from > from) return [...spans];
  if (last !== undefined && last.units === units && last.until >= from) {
    return [...spans.slice(0, -1), { ...last, until }];
  }
  const ended = spans.map((span) => (span.until > from ? { ...span, until: from } : span));
  return units > 0 ? [...ended, { from, until, units }] : ended;
}

interface LookAtLender {
  /** What earlier looks have counted; absent: nothing was lent until now. */
  readonly before: SeenHarm | undefined;
  /** What the pool needed, as far as it is known now. */
  readonly series: Pick<NeedSeries, 'endMillis' | 'values'>;
  readonly stepSeconds: number;
  readonly ownedUnits: number;
  readonly lentUnits: number;
  readonly now: EpochMillis;
  /** So long what is lent counts as seen now where no other look follows. */
  readonly holdsUntil: EpochMillis;
}

/**
 * Counts the steps that have become known since the last look, each once however often, early or late looks come. A step counts with what
 * was seen lent in its middle, and with the needs and the units that are known now.
 */
export function harmAfterLook(look: LookAtLender): SeenHarm {
  const { before, series, stepSeconds, ownedUnits } = look;
  const { values, endMillis } = series;
  const countedBefore = before?.countedUntil ?? endMillis;
  const countedUntil = epochMillis(Math.max(countedBefore, endMillis));
  const spans = withLook(before?.lent ?? [], look);
  const stepMillis = stepSeconds * MILLIS_PER_SECOND;
  const stepHours = stepSeconds / SECONDS_AN_HOUR;
  let counted: UnitHours = before ?? { lentUnitHours: 0, harmedUnitHours: 0 };
  let until = countedBefore;
  for (let back = Math.min(values.length, Math.floor((endMillis - countedBefore) / stepMillis)); back > 0; back -= 1) {
    const startMillis = endMillis - back * stepMillis;
    const middle = startMillis + stepMillis / 2;
    const units = spans.findLast((span) => span.from <= middle && middle < span.until)?.units ?? 0;
    const need = values[values.length - back] ?? 0;
    const kept = decayed(counted, startMillis + stepMillis - until);
    counted = {
      lentUnitHours: kept.lentUnitHours + units * stepHours,
      harmedUnitHours: kept.harmedUnitHours + harmedUnits(need, units, ownedUnits) * stepHours,
    };
    until = epochMillis(startMillis + stepMillis);
  }
  const { lentUnitHours, harmedUnitHours } = counted;
  const shown = (unitHours: number): number => (unitHours < LEAST_UNIT_HOURS ? 0 : unitHours);
  return {
    lentUnitHours: shown(lentUnitHours),
    harmedUnitHours: shown(harmedUnitHours),
    countedUntil,
    lent: spans.filter((span) => span.until > countedUntil && span.until > span.from).slice(-MOST_SPANS),
  };
}

/** All pools together, whatever is known of each; a pool of which nothing is known counts with what it owns. */
export function fleetHarm(
  pools: Iterable<{ readonly harm?: SeenHarm | undefined; readonly ownedUnits: number }>,
  at: EpochMillis,
): FleetHarm {
  let [lentUnitHours, harmedUnitHours, owned] = [0, 0, 0];
  for (const { harm, ownedUnits } of pools) {
    owned += ownedUnits;
    if (harm === undefined) continue;
    const now = decayed(harm, at - harm.countedUntil);
    lentUnitHours += now.lentUnitHours;
    harmedUnitHours += now.harmedUnitHours;
  }
  return { lentUnitHours, harmedUnitHours, ownedUnits: owned, at };
}

/**
 * By what the risk that is stated is to be multiplied for a pool.
 * @param at.fleet absent: all lenders together count as on target
 * @param at.target harm as a share of what is lent; 0: the factor stays 1
 */
export function harmFactor(at: {
  readonly harm: SeenHarm;
  readonly ownedUnits: number;
  readonly fleet: FleetHarm | undefined;
  readonly target: number;
  readonly now: EpochMillis;
}): number {
  const { harm, ownedUnits, fleet, target, now } = at;
  if (target <= 0) return 1;
  const all = fleet === undefined ? undefined : decayed(fleet, now - fleet.at);
  const rateOfAll =
    fleet === undefined || all === undefined
      ? target
      : fleetRate(target, all.lentUnitHours, all.harmedUnitHours, fleetPrior(fleet.ownedUnits, SECONDS_AN_HOUR));
  const prior = ownPrior(ownedUnits, SECONDS_AN_HOUR);
  return riskFactor(target, harm.lentUnitHours, harm.harmedUnitHours, prior, rateOfAll);
}
