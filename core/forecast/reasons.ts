import type { CombinationMethod, Confidence, ForecastModel } from './forecast.ts';

const percent = (share: number): string => `${Math.round(100 * share)} %`;

function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

function combinationReason(models: readonly ForecastModel[], method: CombinationMethod): string {
  const took = models.filter(({ weight }) => weight > 0);
  const [first] = took;
  if (first === undefined) return 'no model took part';
  if (took.length === 1) return `${first.name} alone`;
  if (method === 'median') {
    return `median of ${listed(took.map(({ name }) => name))}: weights by error would not have done better in the backtest`;
  }
  const shares = took.map(({ name, weight }) => `${name} ${percent(weight)}`);
  return `${listed(shares)}, weighted by their errors in the backtest, which beat their median there`;
}

/** What shaped a forecast, in sentences for people: who spoke, who could not, and how far it held in the backtest. */
export function reasonsOf(
  models: readonly ForecastModel[],
  method: CombinationMethod,
  { backtestCoverage, drifted }: Confidence,
): string[] {
  const reasons = [combinationReason(models, method)];
  if (backtestCoverage === null) reasons.push('too little history to check the forecast against');
  else {
    reasons.push(
      `in the backtest the 80 % interval held ${percent(backtestCoverage['0.8'])} of the values, the 95 % interval ${percent(backtestCoverage['0.95'])}, before they were corrected`,
    );
  }
  if (drifted) reasons.push('the newest season left the forecast that was possible before it: demand has changed');
  for (const { name, failed } of models) if (failed !== undefined) reasons.push(`${name} did not take part: ${failed}`);
  return reasons;
}
