/** Virtual time, and what has happened in it. */
import type { Pending } from './event-queue.ts';
import { EventQueue } from './event-queue.ts';
import { Random } from './random.ts';

/** Lines that a failure shows. */
const LINES_KEPT = 40;

/** Everything that happened, as a digest, and its last lines. */
export class Trace {
  readonly #last: { readonly atMillis: number; readonly line: string }[] = [];
  #first = 0x811c9dc5;
  #second = 0x9e3779b9;
  #lines = 0;

  add(atMillis: number, line: string): void {
    let first = this.#first ^ atMillis;
    for (let index = 0; index < line.length; index += 1) first = Math.imul(first ^ line.charCodeAt(index), 0x01000193);
    this.#first = first;
    this.#second = Math.imul(this.#second ^ first, 0x85ebca6b) + line.length;
    this.#lines += 1;
    this.#last[this.#lines % LINES_KEPT] = { atMillis, line };
  }

  /** FNV-1a over all characters and moments, and a mix of what it was after each line. */
  get digest(): string {
    return [this.#first, this.#second].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }

  get lines(): number {
    return this.#lines;
  }

  get lastLines(): readonly string[] {
    const from = this.#lines + 1;
    const kept = Array.from({ length: LINES_KEPT }, (_, index) => this.#last[(from + index) % LINES_KEPT]);
    return kept.flatMap((each) =>
      each === undefined ? [] : [`${(each.atMillis / 1_000).toFixed(3).padStart(10)} s  ${each.line}`],
    );
  }
}

/** After so many events the process itself has a turn: it looks for promises that failed with nobody waiting for them. */
const EVENTS_BETWEEN_TURNS = 64;

/** A turn of the process's own loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Lets every promise go on that can, until all of them wait for virtual time: Node runs what is to come next when no promise can go
 * on any more. Only for code that runs after an `await`.
 */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

export class Engine {
  readonly trace = new Trace();
  readonly #queue = new EventQueue();
  readonly #seed: number;
  readonly #startMillis: number;
  #now: number;

  constructor(seed: number, startMillis: number) {
    this.#seed = seed;
    this.#startMillis = startMillis;
    this.#now = startMillis;
  }

  /** Milliseconds since the epoch, by the true clock of the world. */
  get now(): number {
    return this.#now;
  }

  get elapsedMillis(): number {
    return this.#now - this.#startMillis;
  }

  /** A stream of random numbers of its own, so that one part of the world does not shift another's. */
  random(label: string): Random {
    return new Random(this.#seed, label);
  }

  log(line: string): void {
    this.trace.add(this.elapsedMillis, line);
  }

  /** Something that happens later and lets promises go on. */
  wake(afterMillis: number, run: () => void): Pending {
    return this.#queue.push(this.#now + Math.max(0, Math.round(afterMillis)), run, true);
  }

  /** Something that happens later and that no promise waits for. */
  later(afterMillis: number, run: () => void): void {
    this.#queue.push(this.#now + Math.max(0, Math.round(afterMillis)), run, false);
  }

  sleep(millis: number): Promise<void> {
    return new Promise((resolve) => {
      this.wake(millis, resolve);
    });
  }

  /** Runs everything that happens up to a moment, unless it has to stop before. */
  async runUntil(endMillis: number, mustStop: () => boolean): Promise<void> {
    await turn();
    let events = 0;
    while (this.#queue.nextAt <= endMillis && !mustStop()) {
      const event = this.#queue.pop();
      if (event === undefined) break;
      if (event.isOff) continue;
      this.#now = event.at;
      event.run();
      if (!event.wakes) continue;
      events += 1;
      await (events % EVENTS_BETWEEN_TURNS === 0 ? turn() : settled());
    }
    await turn();
    this.#now = Math.max(this.#now, endMillis);
  }
}
