import { describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../../core/audit/chain.ts';
import { canonicalJson, GENESIS, link, verifyChain } from '../../../core/audit/chain.ts';
import { epochMillis } from '../../../core/units.ts';
import { BORROWER, NOW } from '../../support/fixtures.ts';
import { sha256Hex } from '../../support/memory-store.ts';

function chainOf(length: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let index = 0; index < length; index += 1) {
    const event = {
      accountId: BORROWER,
      type: 'loan.requested',
      at: epochMillis(NOW + index),
      subject: `ln-${index}`,
      actor: 'entangle',
      detail: { units: index, note: null },
    };
    records.push(link(event, records.at(-1) ?? GENESIS, sha256Hex));
  }
  return records;
}

function faultsOf(records: AuditRecord[], head = chainOf(5).at(-1) ?? GENESIS) {
  return verifyChain(records, { seq: head.seq, hash: head.hash }, sha256Hex);
}

describe('canonicalJson', () => {
  it.each([
    [{ b: 1, a: [true, null, 'ü"\n'] }, '{"a":[true,null,"ü\\"\\n"],"b":1}'],
    [{ 10: 'x', 9: 'y' }, '{"10":"x","9":"y"}'],
    [{ gone: undefined, kept: 0 }, '{"kept":0}'],
    [[], '[]'],
  ])('%j', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });
});

describe('verifyChain', () => {
  it('finds no fault in a whole chain, an empty one included', () => {
    expect(faultsOf(chainOf(5))).toEqual([]);
    expect(faultsOf([], GENESIS as AuditRecord)).toEqual([]);
  });

  it.each(['accountId', 'type', 'at', 'subject', 'actor', 'detail', 'previousHash', 'hash'])(
    'finds an altered %s',
    (field) => {
      const changed = { accountId: '999999999999', at: 1, detail: { units: 99 } }[field] ?? 'f'.repeat(64);
      const records = chainOf(5).map((record) => (record.seq === 3 ? { ...record, [field]: changed } : record));
      expect(faultsOf(records)).toContainEqual({ kind: 'altered', seq: 3 });
    },
  );

  it('finds a record that was altered and hashed again by the link after it', () => {
    const records = chainOf(5);
    const forged = link({ ...chainOf(5)[2], subject: 'ln-forged' } as AuditRecord, records[1] ?? GENESIS, sha256Hex);
    records[2] = forged;
    expect(faultsOf(records)).toContainEqual({ kind: 'unlinked', seq: 4 });
  });

  it.each([1, 3])('finds record %i missing', (seq) => {
    expect(faultsOf(chainOf(5).filter((record) => record.seq !== seq))).toContainEqual({ kind: 'missing', seq });
  });

  it('finds an end that was cut off', () => {
    expect(faultsOf(chainOf(3))).toEqual([
      { kind: 'missing', seq: 4 },
      { kind: 'missing', seq: 5 },
    ]);
  });

  it('finds a head that is behind, or of another chain', () => {
    expect(faultsOf(chainOf(5), chainOf(4).at(-1))).toEqual([{ kind: 'head-mismatch', seq: 4 }]);
    const other = { seq: 5, hash: 'a'.repeat(64) } as AuditRecord;
    expect(faultsOf(chainOf(5), other)).toEqual([{ kind: 'head-mismatch', seq: 5 }]);
  });

  it('finds records that changed places and records that stand twice', () => {
    const swapped = chainOf(5);
    [swapped[1], swapped[2]] = [swapped[2] as AuditRecord, swapped[1] as AuditRecord];
    expect(faultsOf(swapped)).not.toEqual([]);
    const twice = chainOf(5);
    twice.splice(2, 0, twice[1] as AuditRecord);
    expect(faultsOf(twice)).not.toEqual([]);
  });
});
