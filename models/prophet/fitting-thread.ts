import { Worker } from 'node:worker_threads';
import type { FitJob, FitReport, FitResult } from './fit-messages.ts';

export interface FittingLimits {
  /** Longest time for one fit; the thread is ended after it. */
  readonly fitSeconds: number;
  /** Fits after which the thread is replaced by a new one, since its memory grows. */
  readonly fitsPerThread: number;
}

/** Loading and compiling the WebAssembly takes a tenth of a second; a busy machine may need a hundred times that. */
const STARTUP_SECONDS = 30;
const MILLIS_PER_SECOND = 1_000;

interface Running {
  readonly worker: Worker;
  fits: number;
}

/** Runs fits one after the other in a thread that is replaced when a fit fails. One fit's failure leaves the next alone. */
export class FittingThread {
  readonly #file: URL;
  readonly #limits: FittingLimits;
  #running: Running | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: URL, limits: FittingLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** @throws Error whose message says whether the fit ended in a trap, an error of the library, a time-out or with its thread */
  run(job: FitJob): Promise<FitResult> {
    const turn = this.#last.then(() => this.#runNow(job));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Ends the thread, after the fits that were asked for. The next fit starts another. */
  async close(): Promise<void> {
    await this.#last;
    await this.#end();
  }

  async #runNow(job: FitJob): Promise<FitResult> {
    try {
      const running = this.#running ?? (await this.#start());
      const reported = nextReport(running.worker, this.#limits.fitSeconds, 'a fit');
      running.worker.postMessage(job, []);
      const report = await reported;
      if (report.kind === 'trap') throw new Error(`a fit ended in a WebAssembly trap: ${report.message}`);
      if (report.kind !== 'result') {
        throw new Error(`a fit failed: ${report.kind === 'error' ? report.message : 'the thread started again'}`);
      }
      running.fits += 1;
      if (running.fits >= this.#limits.fitsPerThread) await this.#end();
      return report.result;
    } catch (thrown) {
      // After a trap the instance's memory is in no known state.
      await this.#end();
      throw thrown;
    }
  }

  async #start(): Promise<Running> {
    // What a trap prints is told by its report. Nobody reads the streams: reading them would keep the process alive.
    const worker = new Worker(this.#file, { stdout: true, stderr: true });
    const running = { worker, fits: 0 };
    this.#running = running;
    const forget = () => {
      if (this.#running === running) this.#running = undefined;
    };
    // Also between two fits: an error that nobody listens for would end the process.
    worker.on('error', forget);
    worker.on('exit', forget);
    const report = await nextReport(worker, STARTUP_SECONDS, 'the start of the fitting thread');
    if (report.kind !== 'ready') throw new Error(`the fitting thread began with "${report.kind}"`);
    return running;
  }

  async #end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.worker.terminate();
  }
}

/** The worker's next message. While nobody waits for one, the worker does not keep the process alive. */
function nextReport(worker: Worker, limitSeconds: number, what: string): Promise<FitReport> {
  const { promise, resolve, reject } = Promise.withResolvers<FitReport>();
  const onError = (error: Error) => reject(new Error(`the fitting thread failed: ${error.message}`));
  const onExit = (code: number) => reject(new Error(`the fitting thread ended with exit code ${code}`));
  const timer = setTimeout(
    () => reject(new Error(`${what} took longer than its limit of ${limitSeconds} s`)),
    limitSeconds * MILLIS_PER_SECOND,
  );
  worker.ref();
  worker.once('message', resolve);
  worker.once('error', onError);
  worker.once('exit', onExit);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.off('message', resolve);
    worker.off('error', onError);
    worker.off('exit', onExit);
    worker.unref();
  });
}
