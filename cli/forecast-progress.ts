/** To the end of the line, on a terminal. */
const CLEAR_LINE = '\u001B[K';
const BAR_WIDTH = 24;
const SECONDS_PER_MINUTE = 60;

/** A line on a terminal that says how far the work is. */
export class ProgressBar {
  readonly #write: ((text: string) => void) | undefined;
  readonly #seconds: () => number;
  #total = 0;
  #startedSeconds = 0;

  /**
   * @param write absent when nobody watches
   * @param seconds a clock that rises
   */
  constructor(write: ((text: string) => void) | undefined, seconds: () => number) {
    this.#write = write;
    this.#seconds = seconds;
  }

  /** Says what has been done of something whose amount is not known. */
  count(done: number, what: string): void {
    this.#write?.(`\r${done} ${what}`);
  }

  start(total: number): void {
    this.#total = total;
    this.#startedSeconds = this.#seconds();
    this.show(0);
  }

  show(done: number): void {
    const filled = Math.round((BAR_WIDTH * done) / Math.max(1, this.#total));
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    this.#write?.(`\r${CLEAR_LINE}${bar} ${done} of ${this.#total} series${this.#left(done)}`);
  }

  /** Before another line is written, and at the end. */
  clear(): void {
    this.#write?.(`\r${CLEAR_LINE}`);
  }

  #left(done: number): string {
    if (done === 0 || done === this.#total) return '';
    const seconds = ((this.#seconds() - this.#startedSeconds) / done) * (this.#total - done);
    const text =
      seconds < SECONDS_PER_MINUTE ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / SECONDS_PER_MINUTE)} min`;
    return `, about ${text} left`;
  }
}
