import type { WithinTime } from '../core/forecast/member-runs.ts';

const MILLIS_PER_SECOND = 1_000;

/**
 * A limit on the wait for each model. The model itself is not stopped: one that computes on this thread delays the limit, one
 * that waits for another thread does not.
 * @param limitSeconds from the start of the wait; a promise that is kept later is not waited for
 * @returns a function whose promise is rejected with an Error that names the limit
 */
export function withinSeconds(limitSeconds: number): WithinTime {
  return async (_name, work) => {
    const { promise: over, reject } = Promise.withResolvers<never>();
    const end = () => reject(new Error(`took longer than its limit of ${limitSeconds} s`));
    // When another model kept this thread busy, an answer that came in time is still in the queue: it is taken first.
    const timer = setTimeout(() => setImmediate(end), limitSeconds * MILLIS_PER_SECOND);
    try {
      return await Promise.race([work, over]);
    } finally {
      clearTimeout(timer);
    }
  };
}
