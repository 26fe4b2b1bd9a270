import type { AccountId, EpochMillis } from '../units.ts';

/** What happened, before it has its place in a chain. */
export interface AuditEvent {
  /** The account in whose chain it stands: the one whose right, capacity or request the event changed. */
  readonly accountId: AccountId;
  /** `loan.reserved`, `consent.revoked`, `access.denied` … */
  readonly type: string;
  readonly at: EpochMillis;
  /** The loan, consent version or pool that it is about. */
  readonly subject: string;
  /** Who acted: an ARN, or the name of the function. */
  readonly actor: string;
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

/** One link of an account's chain. */
export interface AuditRecord extends AuditEvent {
  /** 1 for the first record of an account, then without gaps. */
  readonly seq: number;
  readonly previousHash: string;
  /** SHA-256 over the canonical form of everything else. */
  readonly hash: string;
}

export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** The hash before the first record. */
export const GENESIS: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** SHA-256 of a UTF-8 string, as 64 hexadecimal digits. A port: core knows no crypto module. */
export type Sha256Hex = (text: string) => string;

/**
 * JSON with keys in code-point order and no white space, as in RFC 8785 for the value types used here
 * (strings, safe integers and finite numbers, booleans, null, arrays, objects).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = value as Readonly<Record<string, unknown>>;
    let text = '';
    for (const key of Object.keys(members).sort()) {
      if (members[key] === undefined) continue;
      text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(members[key])}`;
    }
    return `{${text}}`;
  }
  return JSON.stringify(value);
}

/** The record that follows `head` in its account's chain. */
export function link(event: AuditEvent, head: ChainHead, sha256: Sha256Hex): AuditRecord {
  const body = { ...event, seq: head.seq + 1, previousHash: head.hash };
  return { ...body, hash: sha256(canonicalJson(body)) };
}

export type ChainFault =
  | { readonly kind: 'altered'; readonly seq: number }
  | { readonly kind: 'missing'; readonly seq: number }
  | { readonly kind: 'unlinked'; readonly seq: number }
  | { readonly kind: 'head-mismatch'; readonly seq: number };

/**
 * Every fault of a chain: records altered, missing, out of their place, or a head that is not the last record's.
 * @param records in the order of `seq`
 * @param head what the account's head item says; pass it to notice a chain cut off at its end
 * @param from the record before the first of `records`, as it was verified earlier. Default: the chain's beginning
 */
export function verifyChain(
  records: readonly AuditRecord[],
  head: ChainHead,
  sha256: Sha256Hex,
  from: ChainHead = GENESIS,
): ChainFault[] {
  const faults: ChainFault[] = [];
  let previous = from;
  for (const record of records) {
    const { hash, ...body } = record;
    for (let seq = previous.seq + 1; seq < record.seq; seq += 1) faults.push({ kind: 'missing', seq });
    if (sha256(canonicalJson(body)) !== hash) faults.push({ kind: 'altered', seq: record.seq });
    else if (record.seq <= previous.seq + 1 && record.previousHash !== previous.hash) {
      faults.push({ kind: 'unlinked', seq: record.seq });
    }
    previous = { seq: record.seq, hash };
  }
  if (previous.seq !== head.seq || previous.hash !== head.hash) {
    if (previous.seq >= head.seq) faults.push({ kind: 'head-mismatch', seq: head.seq });
    for (let seq = previous.seq + 1; seq <= head.seq; seq += 1) faults.push({ kind: 'missing', seq });
  }
  return faults;
}
