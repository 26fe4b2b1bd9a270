import type { Scores, TimedForecast } from './outcome.ts';
import { scoresOf } from './outcome.ts';
import type { PeerForecaster, PeerForecasts } from './peers.ts';
import type { WindowSet } from './windows.ts';

/** What a peer was given, and what came of it. */
export interface PeerRun {
  readonly peer: PeerForecaster;
  /** Of each set, one window in so many. */
  readonly every: number;
  /** With the windows that it was given. */
  readonly sets: readonly WindowSet[];
  readonly made: PeerForecasts;
}

/** Windows of several sets that are told of together. */
export const DAY_AHEAD = 'NAB + Azure + aggregates';
export const DEVELOPMENT = 'all development sets';
export const CHECKS = 'all checks';

/** Our measures and a peer's on the same windows. */
export interface Comparison {
  readonly peer: PeerForecaster;
  readonly every: number;
  /** A set's name, or the name of several sets together. */
  readonly windows: string;
  readonly ours: Scores;
  readonly theirs: Scores;
}

type IsIn = (set: WindowSet) => boolean;

/** Groups of sets, for a peer that was given more than one of them. */
const TOGETHER: readonly { readonly name: string; readonly isIn: IsIn }[] = [
  { name: DAY_AHEAD, isIn: ({ role, key }) => role === 'development' && key !== 'm4' },
  { name: DEVELOPMENT, isIn: ({ role }) => role === 'development' },
  { name: CHECKS, isIn: ({ role }) => role === 'check' },
];

/**
 * Ours beside a peer's, on the windows that both forecast: set by set, then several sets together.
 * @param ours forecasts of at least these windows
 */
export function comparisonsOf({ peer, every, sets, made }: PeerRun, ours: readonly TimedForecast[]): Comparison[] {
  const oursById = new Map(ours.map((forecast) => [forecast.window.id, forecast]));
  const theirsById = new Map(
    made.forecasts.flatMap((each) => (each === undefined ? [] : [[each.window.id, each] as const])),
  );
  const compare = (name: string, isIn: IsIn): Comparison[] => {
    const pairs = sets.filter(isIn).flatMap(({ windows }) =>
      windows.flatMap(({ id }) => {
        const [our, their] = [oursById.get(id), theirsById.get(id)];
        return our === undefined || their === undefined ? [] : [{ our, their }];
      }),
    );
    if (pairs.length === 0) return [];
    const scores = { ours: scoresOf(pairs.map(({ our }) => our)), theirs: scoresOf(pairs.map(({ their }) => their)) };
    return [{ peer, every, windows: name, ...scores }];
  };
  const together = TOGETHER.filter(({ isIn }) => sets.filter(isIn).length > 1);
  return [
    ...sets.flatMap((set) => compare(set.name, ({ key }) => key === set.key)),
    ...together.flatMap(({ name, isIn }) => compare(name, isIn)),
  ];
}
