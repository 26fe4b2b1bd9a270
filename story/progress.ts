/** Says what happens, with the seconds since the start. */
export interface Progress {
  readonly say: (message: string) => void;
  /** Says what begins, and how long it took once it has ended. */
  readonly step: <Result>(title: string, run: () => Promise<Result>) => Promise<Result>;
  readonly seconds: () => number;
}

const MILLIS_PER_SECOND = 1_000;
const STAMP_WIDTH = 7;

/** @param clock milliseconds, rising */
export function progress(write: (line: string) => void, clock: () => number): Progress {
  const startedAt = clock();
  const seconds = () => (clock() - startedAt) / MILLIS_PER_SECOND;
  const say = (message: string) =>
    write(
      `[${seconds()
        .toFixed(1)
        .padStart(STAMP_WIDTH - 2)} s] ${message}\n`,
    );
  return {
    say,
    seconds,
    step: async (title, run) => {
      say(`${title} …`);
      const before = seconds();
      const result = await run();
      say(`${title}: done in ${(seconds() - before).toFixed(1)} s`);
      return result;
    },
  };
}
