import type { ForecastLine } from './forecast-line.ts';

const NAME_WIDTH = 24;
const TIME_WIDTH = 20;
const NUMBER_WIDTH = 12;
const SIGNIFICANT_DIGITS = 6;

function row(name: string, time: string, numbers: readonly string[]): string {
  return `${[name.padEnd(NAME_WIDTH), time.padEnd(TIME_WIDTH), ...numbers.map((text) => text.padStart(NUMBER_WIDTH))].join('  ')}\n`;
}

/** The heads of the columns, for people. */
export function tableHead(threshold: number | undefined): string {
  return row('series', 'next peak', ['P50', 'P90', ...(threshold === undefined ? [] : [`P(≥ ${threshold})`])]);
}

/** Of a forecast: when its median is highest for the first time, P50 and P90 then, and the probability of a bottleneck. */
export function tableRow({ seriesId, timestamps, quantiles, bottleneck }: ForecastLine): string {
  let peak = 0;
  for (const [slot, value] of quantiles['0.5'].entries()) {
    if (value > (quantiles['0.5'][peak] ?? value)) peak = slot;
  }
  const number = (value: number | undefined) => String(Number((value ?? Number.NaN).toPrecision(SIGNIFICANT_DIGITS)));
  const risk = bottleneck === undefined ? [] : [`${(bottleneck.probability * 100).toFixed(1)} %`];
  const time = timestamps[peak]?.replace('.000Z', 'Z') ?? '';
  return row(seriesId, time, [number(quantiles['0.5'][peak]), number(quantiles['0.9'][peak]), ...risk]);
}
