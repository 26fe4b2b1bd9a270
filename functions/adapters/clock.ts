import type { EpochMillis } from '../../core/units.ts';
import { epochMillis } from '../../core/units.ts';

/** The only place where a function reads the time. */
export function now(): EpochMillis {
  return epochMillis(Date.now());
}
