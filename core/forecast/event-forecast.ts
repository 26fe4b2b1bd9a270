import type { EventEffects } from './event-effects.ts';
import type { QuantileLevel } from './forecast.ts';
import { NORMAL_QUANTILES } from './normal-quantiles.ts';

/**
 * A forecast of normal days with the events put back: multiplied by their factors, and wider by what is not known of them.
 * @param quantiles values for each step by level; the median has to be among them. Not crossing.
 * @returns the same levels, not crossing; not negative where they were not
 */
export function withEvents<Level extends QuantileLevel>(
  quantiles: Readonly<Record<Level | '0.5', readonly number[]>>,
  { factors, deviations }: Pick<EventEffects, 'factors' | 'deviations'>,
): Record<Level | '0.5', number[]> {
  const medians = quantiles['0.5'];
  const levels = Object.keys(quantiles) as (Level | '0.5')[];
  const changed = levels.map((level) => {
    const z = NORMAL_QUANTILES[level];
    const values = quantiles[level].map((value, step) => {
      const factor = factors[step] ?? 1;
      const deviation = deviations[step] ?? 0;
      if (factor === 1 && deviation === 0) return value;
      const median = medians[step] ?? value;
      const away = Math.sign(z) * Math.hypot(value - median, z * median * deviation);
      const moved = factor * (median + away);
      return value >= 0 ? Math.max(0, moved) : moved;
    });
    return [level, values] as const;
  });
  return Object.fromEntries(changed) as Record<Level | '0.5', number[]>;
}
