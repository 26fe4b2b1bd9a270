import { readFileSync } from 'node:fs';
import type { ConsentTerms } from '../core/consent/consent.ts';
import type { PairingView } from '../core/pairing/pairing-view.ts';
import type { PoolSpec } from '../core/pool.ts';
import { TRUST_PARTS } from '../core/trust/evidence.ts';
import { RECORD_KINDS } from '../core/trust/record.ts';
import type { AccountId } from '../core/units.ts';
import { capacity } from './capacity.ts';
import type { HubApi } from './hub-api.ts';
import type { LimitFlags } from './limits.ts';
import { limitPairing, organisation } from './limits.ts';
import { loans } from './loans.ts';
import { percentText } from './percent.ts';
import { requests } from './requests.ts';
import { resume, stop, switches } from './switches.ts';
import { UsageError } from './usage.ts';
import { chainFaults } from './verify-chain.ts';

/** What a command has to say: `json` for programs, `text` for people; `failed` when the exit code must not be 0. */
export interface Output {
  readonly json: unknown;
  readonly text: string;
  readonly failed?: boolean;
}

/** Options of `stop` and `resume`. */
export interface SwitchFlags {
  readonly all?: boolean | undefined;
  readonly account?: string | undefined;
  readonly pairing?: string | undefined;
  readonly recall?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface CommandFlags extends SwitchFlags, LimitFlags {
  readonly open: boolean;
  /** Of `trust record`, as `account` is too. */
  readonly kind?: string | undefined;
  readonly subject?: string | undefined;
  readonly note?: string | undefined;
}

/** The text of a JSON file as a value. @throws UsageError with the file's name */
function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function only(args: readonly string[], count: number, usage: string): void {
  if (args.length !== count) throw new UsageError(`expected: ${usage}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function enrol(api: HubApi, args: readonly string[]): Promise<Output> {
  only(args, 1, 'entangle enrol FILE');
  const [path = ''] = args;
  const content = readJsonFile(path);
  const specs = Array.isArray(content) ? (content as unknown[]) : [content];
  const pools = [];
  for (const [index, spec] of specs.entries()) {
    if (!isRecord(spec)) throw new UsageError(`${path}: pool ${index + 1} is not an object`);
    // The hub checks every field and names the wrong ones.
    pools.push(await api.enrol(spec as unknown as PoolSpec));
  }
  const lines = pools.map((pool) => `enrolled ${pool.spec.poolId} with ${pool.ownedUnits} units`);
  return { json: { pools }, text: lines.join('\n') };
}

async function consents(api: HubApi, args: readonly string[]): Promise<Output> {
  const [action, ...rest] = args;
  switch (action) {
    case 'get': {
      only(rest, 0, 'entangle consents get');
      const { consent, usage } = await api.consent();
      const text = consent === null ? 'no consent has been given' : JSON.stringify(consent, null, 2);
      return { json: { consent, usage: usage ?? null }, text };
    }
    case 'put': {
      only(rest, 1, 'entangle consents put FILE');
      const [path = ''] = rest;
      const terms = readJsonFile(path);
      if (!isRecord(terms)) throw new UsageError(`${path}: expected a JSON object with the terms`);
      const consent = await api.giveConsent(terms as unknown as ConsentTerms);
      return { json: { consent }, text: `version ${consent.version} is active, given by ${consent.madeBy}` };
    }
    case 'revoke': {
      only(rest, 0, 'entangle consents revoke');
      const { consent, recalled } = await api.revokeConsent();
      const text = `version ${consent.version} revokes the consent; loans recalled: ${recalled.join(', ') || 'none'}`;
      return { json: { consent, recalled }, text };
    }
    default:
      throw new UsageError('expected: entangle consents get, entangle consents put FILE or entangle consents revoke');
  }
}

function pairingLine(pairing: PairingView): string {
  const { pairingId, state, lenderPoolId, borrowerPoolId, circleId, acceptances, reasons } = pairing;
  const why = pairing.endReason ?? pairing.pausedFor;
  const accepted = acceptances.map(({ accountId }) => accountId).join(', ') || 'nobody';
  const pools = `${lenderPoolId} → ${borrowerPoolId}${circleId === undefined ? '' : `  in circle ${circleId}`}`;
  const sure = pairing.confidence === undefined ? '' : `  confidence ${percentText(pairing.confidence)}`;
  const head = `${pairingId}  ${state.padEnd(15)}  ${pools}${sure}`;
  return [`${head}${why === undefined ? '' : `  ${why}`}`, `  accepted by ${accepted}; ${reasons.join('; ')}`].join(
    '\n',
  );
}

async function pairings(api: HubApi, args: readonly string[], flags: CommandFlags): Promise<Output> {
  const [action = 'list', pairingId, ...rest] = args;
  const usage =
    'entangle pairings [list] [--open], entangle pairings accept PAIRING-ID, entangle pairings end PAIRING-ID or entangle pairings limit PAIRING-ID';
  only(rest, 0, usage);
  if (action === 'limit') return limitPairing(api, pairingId, flags);
  if (action === 'list' && pairingId === undefined) {
    const found = await api.pairings(flags.open);
    return { json: { pairings: found }, text: found.length === 0 ? 'no pairings' : found.map(pairingLine).join('\n') };
  }
  if ((action !== 'accept' && action !== 'end') || pairingId === undefined) throw new UsageError(`expected: ${usage}`);
  const pairing = action === 'accept' ? await api.acceptPairing(pairingId) : await api.endPairing(pairingId);
  return { json: { pairing }, text: pairingLine(pairing) };
}

async function recordTrust(api: HubApi, { account, kind, subject, note }: CommandFlags): Promise<Output> {
  const usage = 'entangle trust record --account ACCOUNT --kind KIND --subject LOAN-ID|MONTH [--note TEXT]';
  if (account === undefined || kind === undefined || subject === undefined) throw new UsageError(`expected: ${usage}`);
  const known = RECORD_KINDS.find((each) => each === kind);
  if (known === undefined) throw new UsageError(`--kind ${kind}: expected ${RECORD_KINDS.join(', ')}`);
  // The hub checks the account and the subject.
  const record = { accountId: account as AccountId, kind: known, subject, ...(note === undefined ? {} : { note }) };
  const { evidence, recorded } = await api.recordTrust(record);
  const text = `${evidence.kind} for ${evidence.subject} ${recorded ? 'is recorded' : 'was recorded already'} for ${evidence.accountId}`;
  return { json: { evidence, recorded }, text };
}

async function trust(api: HubApi, args: readonly string[], flags: CommandFlags): Promise<Output> {
  const [action, ...rest] = args;
  if (action === 'record' && rest.length === 0) return recordTrust(api, flags);
  only(args, 0, 'entangle trust or entangle trust record');
  const { trust: found, credits } = await api.trust();
  const lines = TRUST_PARTS.flatMap((part) => {
    const { score, uncertainty, evidenceCount, newestEvidence } = found.parts[part];
    const evidence = newestEvidence.map(
      ({ at, kind, subject, recordedBy }) =>
        `  ${new Date(at).toISOString()}  ${kind}  ${subject}${recordedBy === undefined ? '' : `  recorded by ${recordedBy}`}`,
    );
    return [`${part}  ${score.toFixed(2)} ± ${uncertainty.toFixed(2)}  from ${evidenceCount}`, ...evidence];
  });
  const balance = credits.balanceUnitHours;
  const credit = `credits  ${Math.abs(balance).toFixed(1)} unit-hours ${balance < 0 ? 'borrowed more than lent' : 'lent more than borrowed'}`;
  return {
    json: { trust: found, credits },
    text: [`trust  ${found.score.toFixed(2)}`, ...lines, credit].join('\n'),
  };
}

const usd = (amountMicroUsd: number): string => `${(amountMicroUsd / 1_000_000).toFixed(6)} USD`;

async function bills(api: HubApi, args: readonly string[]): Promise<Output> {
  only(args, 0, 'entangle bills');
  const { balance, entries } = await api.bills();
  const lines = entries.map(
    (entry) =>
      `${new Date(entry.at).toISOString()}  ${entry.loanId}  ${entry.phase.padEnd(7)}  ${usd(entry.amountMicroUsd).padStart(18)}  ${entry.counterpartyAccountId}`,
  );
  const total = `posted ${usd(balance.postedMicroUsd)}, reserved ${usd(balance.pendingMicroUsd)}`;
  return { json: { balance, entries }, text: [...lines, total].join('\n') };
}

async function audit(api: HubApi, args: readonly string[]): Promise<Output> {
  if (args.length !== 1 || args[0] !== 'verify') throw new UsageError('expected: entangle audit verify');
  const { records, head } = await api.audit();
  const faults = chainFaults(records, head);
  const intact = faults.length === 0;
  const text = intact ? `${records.length} records, the chain is intact` : faults.join('\n');
  return { json: { intact, records: records.length, head, faults }, text, failed: !intact };
}

/** The commands by name. */
export const COMMANDS: Readonly<
  Record<string, (api: HubApi, args: readonly string[], flags: CommandFlags) => Promise<Output>>
> = { enrol, consents, pairings, loans, requests, bills, trust, audit, stop, resume, switches, capacity, organisation };
