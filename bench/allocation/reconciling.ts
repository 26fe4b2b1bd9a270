import type { Fleet } from '../../test/support/deployment.ts';
import type { BenchOptions } from '../report.ts';

const EVERY_MILLIS = 60_000;

/** Reconciling as its schedule does it, which the emulator does not run by itself: what an event or a step missed is found there. */
export class Reconciling {
  readonly #fleet: Fleet;
  readonly #options: BenchOptions;
  #lastAt = Date.now();

  constructor(fleet: Fleet, options: BenchOptions) {
    this.#fleet = fleet;
    this.#options = options;
  }

  /** Starts it where a minute has gone by since the last time; does not wait for its end. */
  whenDue(): void {
    if (Date.now() - this.#lastAt < EVERY_MILLIS) return;
    this.#lastAt = Date.now();
    void this.#fleet.invoke('reconcile', {}).catch(() => this.#options.say('reconciling was throttled'));
  }
}
