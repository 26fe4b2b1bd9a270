import { createHash } from 'node:crypto';
import type { AuditRecord, ChainHead } from '../core/audit/chain.ts';

/**
 * Checks an account's audit chain on the caller's own machine, with nothing of the hub's code: the hub cannot vouch for itself.
 */

const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/** JSON with sorted keys and no white space, as the records were hashed. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((member) => canonical(member)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = value as Record<string, unknown>;
  const written = Object.keys(members)
    .filter((key) => members[key] !== undefined)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((key) => `${JSON.stringify(key)}:${canonical(members[key])}`);
  return `{${written.join(',')}}`;
}

function hashOf(record: AuditRecord): string {
  const { hash: _stated, ...hashed } = record;
  return createHash('sha256').update(canonical(hashed), 'utf8').digest('hex');
}

/**
 * What is wrong with a chain, a sentence for each fault; none for an intact one.
 * @param records all records of an account, in any order
 * @param head the last record by the account's own head; null when it has none
 */
export function chainFaults(records: readonly AuditRecord[], head: ChainHead | null): string[] {
  const faults: string[] = [];
  let expectedSeq = 1;
  let previousHash = FIRST_PREVIOUS_HASH;
  for (const record of records.toSorted((a, b) => a.seq - b.seq)) {
    for (; expectedSeq < record.seq; expectedSeq += 1) faults.push(`record ${expectedSeq} is missing`);
    const follows = expectedSeq === record.seq && record.previousHash === previousHash;
    const wasMissing = faults.at(-1) === `record ${record.seq - 1} is missing`;
    if (hashOf(record) !== record.hash)
      faults.push(`record ${record.seq} was altered: its hash does not fit its content`);
    else if (!follows && !wasMissing) faults.push(`record ${record.seq} does not follow record ${record.seq - 1}`);
    expectedSeq = record.seq + 1;
    previousHash = record.hash;
  }
  const lastSeq = head?.seq ?? 0;
  for (; expectedSeq <= lastSeq; expectedSeq += 1) faults.push(`record ${expectedSeq} is missing`);
  const isCutOrLonger = expectedSeq - 1 !== lastSeq;
  if (isCutOrLonger || (lastSeq > 0 && faults.length === 0 && previousHash !== head?.hash)) {
    faults.push(`the head says record ${lastSeq} is the last, which the records do not bear out`);
  }
  return faults;
}
