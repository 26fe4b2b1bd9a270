import { runCli } from '../../cli/main.ts';
import type { PairReport } from '../../cli/pair-output.ts';

/** A value of a JSON file. */
export type Json = Record<string, unknown>;

const LIMITS = { maxUnits: 50, maxSharePercent: 100, maxUnitHoursPerMonth: 10_000 };
export const CONSENT = {
  lend: { ...LIMITS, minPriceMicroUsdPerUnitHour: 10_000, recallNoticeSeconds: 120 },
  borrow: { ...LIMITS, maxPriceMicroUsdPerUnitHour: 90_000, minRecallNoticeSeconds: 60 },
};

/** The id of the n-th account. */
export const accountAt = (n: number): string => String(100_000_000_000 + n);

/** The id of the n-th account's pool, as `poolAt` makes it. */
export const idAt = (n: number): string => `${accountAt(n)}/eu-west-1/web`;

/** A pool of ten units that needs so many by slot. */
export function poolAt(n: number, p50: readonly number[], more: Json = {}): Json {
  return {
    accountId: accountAt(n),
    region: 'eu-west-1',
    groupName: 'web',
    azIds: ['euw1-az1'],
    instanceType: 'm7g.large',
    networkGbps: 12.5,
    ownedUnits: 10,
    onDemandUsdPerUnitHour: 0.1,
    need: { p50 },
    ...more,
  };
}

export function fleetOf(pools: readonly Json[], more: Json = {}): Json {
  return { startAt: '2026-11-04T00:00:00Z', stepSeconds: 3_600, defaultConsent: CONSENT, pools, ...more };
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs the command on a text as its standard input. */
export async function pairText(text: string | Uint8Array, ...argv: string[]): Promise<Ran> {
  let [out, error] = ['', ''];
  const code = await runCli(
    ['pair', '--input', '-', ...argv],
    {},
    {
      out: (piece) => void (out += piece),
      error: (piece) => void (error += piece),
      input: (async function* () {
        yield typeof text === 'string' ? Buffer.from(text) : text;
      })(),
    },
  );
  return { code, out, error };
}

/** The plan of a fleet. @throws when the command failed */
export async function reportOf(fleet: Json, ...argv: string[]): Promise<PairReport> {
  const { code, out, error } = await pairText(JSON.stringify(fleet), '--json', ...argv);
  if (code !== 0) throw new Error(`exit code ${code}: ${error}`);
  return JSON.parse(out) as PairReport;
}
