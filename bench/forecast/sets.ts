import { seasonalScale } from './measures.ts';
import type { CompetitionSeries } from './sources.ts';
import { checkDataFolder, readAggregates, readAzureColumns, readM4, readNab } from './sources.ts';
import type { Cutting, ForecastWindow, SourceSeries, WindowSet } from './windows.ts';
import { cutWindows, HOURLY } from './windows.ts';

const M4_HORIZON_HOURS = 48;
/** Shorter series of the Numenta Anomaly Benchmark are left out. */
const FEWEST_NAB_HOURS = 200;
const NAB_ORIGINS = 2;
const AGGREGATE_ORIGINS = 10;
const FEWEST_AGGREGATE_HOURS = 96;
const PERIODIC_EVERY = 3;
const RANDOM_EVERY = 4;
const STEPS_PER_DAY = 288;

/** Five-minute readings: a day ahead is 288 steps. */
const FIVE_MINUTES: Cutting = {
  stepSeconds: 300,
  seasons: [STEPS_PER_DAY, 7 * STEPS_PER_DAY],
  horizonSteps: STEPS_PER_DAY,
  historySteps: 14 * STEPS_PER_DAY,
  fewestHistorySteps: 2 * STEPS_PER_DAY,
  apartSteps: STEPS_PER_DAY,
  origins: 1,
  skippedOrigins: 0,
};

function officialWindow({ id, values, test, naive2 }: CompetitionSeries): ForecastWindow {
  return {
    id: `m4-hourly/${id}`,
    values,
    actual: test,
    stepSeconds: HOURLY.stepSeconds,
    startMillis: 0,
    seasons: HOURLY.seasons,
    scale: seasonalScale(values, HOURLY.seasons[0]),
    naive2,
  };
}

function cutAll(series: readonly SourceSeries[], cutting: Cutting): ForecastWindow[] {
  return series.flatMap((one) => cutWindows(one, cutting));
}

const isDevelopment = (every: number) => (_: SourceSeries, index: number) => index % every === 0;
const isOther = (every: number) => (_: SourceSeries, index: number) => index % every !== 0;

function developmentSets(folder: string, m4: readonly CompetitionSeries[]): WindowSet[] {
  const nab = readNab(folder).filter(({ values }) => values.length >= FEWEST_NAB_HOURS);
  const azure = [
    ...readAzureColumns(folder, 'periodic78_avg_hourly').filter(isDevelopment(PERIODIC_EVERY)),
    ...readAzureColumns(folder, 'random100_avg_hourly').filter(isDevelopment(RANDOM_EVERY)),
  ];
  const role = 'development';
  const aggregates = { origins: AGGREGATE_ORIGINS, fewestHistorySteps: FEWEST_AGGREGATE_HOURS };
  return [
    { key: 'm4', name: 'M4 hourly', role, windows: m4.map(officialWindow) },
    { role, key: 'nab', name: 'NAB', windows: cutAll(nab, { ...HOURLY, origins: NAB_ORIGINS }) },
    { role, key: 'azure', name: 'Azure', windows: cutAll(azure, HOURLY) },
    { role, key: 'aggregates', name: 'aggregates', windows: cutAll(readAggregates(), { ...HOURLY, ...aggregates }) },
  ];
}

function checkSets(folder: string, m4: readonly CompetitionSeries[]): WindowSet[] {
  const role = 'check';
  const azureColumns = (kind: 'avg' | 'max') => [
    ...readAzureColumns(folder, `periodic78_${kind}_hourly`).filter(isOther(PERIODIC_EVERY)),
    ...readAzureColumns(folder, `random100_${kind}_hourly`).filter(isOther(RANDOM_EVERY)),
  ];
  const thirdOf = (_: SourceSeries, index: number) => index % 3 === 0;
  // Two days before the official origin: nothing of the official test is in these windows.
  const earlier: Cutting = {
    ...HOURLY,
    horizonSteps: M4_HORIZON_HOURS,
    historySteps: Number.MAX_SAFE_INTEGER,
    apartSteps: M4_HORIZON_HOURS,
  };
  const before = { ...HOURLY, origins: AGGREGATE_ORIGINS, skippedOrigins: AGGREGATE_ORIGINS };
  const fiveMinutes = readAzureColumns(folder, 'periodic78_avg_5min').filter((_, index) => index % 6 === 1);
  const m4Third = m4.filter(thirdOf).map((series) => ({ ...series, id: `m4-hourly/${series.id}` }));
  return [
    {
      key: 'm4-earlier',
      name: 'M4 hourly, two days earlier',
      role,
      windows: cutAll(m4Third, earlier),
    },
    { role, key: 'azure-others', name: 'Azure, other machines', windows: cutAll(azureColumns('avg'), HOURLY) },
    {
      role,
      key: 'azure-maxima',
      name: 'Azure, hourly maxima of other machines',
      windows: cutAll(azureColumns('max').filter(thirdOf), HOURLY),
    },
    {
      role,
      key: 'aggregates-earlier',
      name: 'aggregates, earlier weeks',
      windows: cutAll(readAggregates(), { ...before, fewestHistorySteps: FEWEST_AGGREGATE_HOURS }),
    },
    {
      key: 'azure-5-minutes',
      name: 'Azure, other machines, 5 minutes',
      role,
      windows: cutAll(fiveMinutes, FIVE_MINUTES),
    },
  ];
}

/** Keys of all sets, development ones first. */
export const SET_KEYS = [
  'm4',
  'nab',
  'azure',
  'aggregates',
  'm4-earlier',
  'azure-others',
  'azure-maxima',
  'aggregates-earlier',
  'azure-5-minutes',
] as const;

/**
 * The sets with the given keys, in the order of `SET_KEYS`.
 * @param folder holds m4-hourly, nab and azure-v1; the aggregates come from the project's virtual environment
 * @param every of each set, only one window in so many
 * @throws Error when something is missing or cannot be read
 */
export function loadSets(folder: string, keys: readonly string[], every: number): WindowSet[] {
  checkDataFolder(folder);
  const m4 = readM4(folder);
  const sets = [...developmentSets(folder, m4), ...checkSets(folder, m4)];
  return sets
    .filter(({ key }) => keys.includes(key))
    .map((set) => ({
      ...set,
      windows: set.windows.filter((_, index) => index % every === 0),
    }));
}
