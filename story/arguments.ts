import { parseArgs } from 'node:util';

export interface StoryArguments {
  readonly help: boolean;
  readonly json: boolean;
  /** Folder of the user's own traces. */
  readonly traces: string | undefined;
  /** Folder that the report is written to. */
  readonly out: string | undefined;
  /** How many times faster than the traces. */
  readonly speed: number | undefined;
}

export const STORY_HELP = `npm start [-- OPTIONS]

Starts the embedded emulator, deploys the hub and the linked accounts with cdk, enrols a group for each trace, gives
consents, loads the history, plans, and replays the hours that follow: an alarm fires, capacity is lent and comes back.

  --traces DIR   your own traces: 3 to 8 files *.csv with the header "timestamp,value" or
                 "timestamp,cpu[,memory][,network][,storage]", in percent, a file an account.
                 Timestamps in ISO 8601, or seconds or milliseconds since 1970, all files with the same step.
                 The last 12 hours are replayed, everything before (a day at least) is history; the shortest
                 file ends them all.
  --speed N      how many times faster than the traces (5-minute samples: 300, 60 or 30; default 300)
  --out DIR      where the report is written (default: .entangle)
  --json         print one JSON object at the end; progress goes to the standard error
  --help         this text

Exit code 0: what was lent was active and came back, ceilings are as before, the ledger balances to zero and the audit
chains are intact. With your own traces it is also 0 when no alarm fires.
`;

/** The command line of the story. @throws Error in one line that says what is wrong */
export function storyArguments(argv: readonly string[]): StoryArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      traces: { type: 'string' },
      out: { type: 'string' },
      speed: { type: 'string' },
    },
  });
  const speed = values.speed === undefined ? undefined : Number(values.speed);
  if (speed !== undefined && !(speed > 0)) throw new Error(`--speed ${values.speed}: expected a number above 0`);
  return { help: values.help, json: values.json, traces: values.traces, out: values.out, speed };
}
