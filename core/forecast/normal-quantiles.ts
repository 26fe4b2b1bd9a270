import type { QuantileLevel } from './forecast.ts';

/** Quantiles of the standard normal distribution, by level. */
export const NORMAL_QUANTILES: Readonly<Record<QuantileLevel, number>> = {
  '0.025': -1.959964,
  '0.1': -1.281552,
  '0.25': -0.67449,
  '0.5': 0,
  '0.75': 0.67449,
  '0.9': 1.281552,
  '0.95': 1.644854,
  '0.975': 1.959964,
};
