import type { ForecastLine } from './forecast-line.ts';
import { percentText } from './percent.ts';

const NAME_WIDTH = 24;
const TIME_WIDTH = 20;
const NUMBER_WIDTH = 12;
const SIGNIFICANT_DIGITS = 6;

function row(name: string, time: string, numbers: readonly string[], models: string): string {
  const cells = [
    name.padEnd(NAME_WIDTH),
    time.padEnd(TIME_WIDTH),
    ...numbers.map((text) => text.padStart(NUMBER_WIDTH)),
  ];
  return `${[...cells, models].join('  ')}\n`;
}

/** The heads of the columns, for people. */
export function tableHead(threshold: number | undefined): string {
  const risk = threshold === undefined ? [] : [`P(≥ ${threshold})`];
  return row('series', 'next peak', ['P50', 'P90', ...risk, 'confidence'], 'models');
}

/** Which models spoke and how they were combined, and which failed. */
export function modelsText({ models, combination }: Pick<ForecastLine, 'models' | 'combination'>): string {
  const took = models.filter(({ weight }) => weight > 0);
  const byWeight = took.map(({ name, weight }) => `${name} ${percentText(weight)}`).join(', ');
  const names = took.map(({ name }) => name).join(', ');
  const spoke = combination === 'weights' || took.length < 2 ? byWeight : `median of ${names}`;
  const failed = models.filter((model) => model.failed !== undefined).map(({ name }) => name);
  return failed.length === 0 ? spoke : `${spoke}; failed: ${failed.join(', ')}`;
}

/**
 * Of a forecast: when its median is highest for the first time, P50 and P90 then, the probability of a bottleneck, how far it
 * can be relied on, and the models.
 */
export function tableRow(line: ForecastLine): string {
  const { seriesId, timestamps, quantiles, bottleneck, confidence } = line;
  let peak = 0;
  for (const [slot, value] of quantiles['0.5'].entries()) {
    if (value > (quantiles['0.5'][peak] ?? value)) peak = slot;
  }
  const number = (value: number | undefined) => String(Number((value ?? Number.NaN).toPrecision(SIGNIFICANT_DIGITS)));
  const risk = bottleneck === undefined ? [] : [`${(bottleneck.probability * 100).toFixed(1)} %`];
  const numbers = [
    number(quantiles['0.5'][peak]),
    number(quantiles['0.9'][peak]),
    ...risk,
    percentText(confidence.level),
  ];
  return row(seriesId, timestamps[peak]?.replace('.000Z', 'Z') ?? '', numbers, modelsText(line));
}
