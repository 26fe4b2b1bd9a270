import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { chainFaults } from '../../cli/verify-chain.ts';
import type { AuditRecord, ChainHead } from '../../core/audit/chain.ts';
import { GENESIS, link, verifyChain } from '../../core/audit/chain.ts';
import { accountId, epochMillis } from '../../core/units.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

const detail = fc.dictionary(
  fc.string({ minLength: 1 }),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  { maxKeys: 4, noNullPrototype: true },
);

/** A chain as the hub writes it. */
function chainOf(details: readonly Readonly<Record<string, string | number | boolean | null>>[]): AuditRecord[] {
  const records: AuditRecord[] = [];
  let head: ChainHead = GENESIS;
  for (const [index, content] of details.entries()) {
    const record = link(
      {
        accountId: accountId('111111111111'),
        type: 'loan.reserved',
        at: epochMillis(1_700_000_000_000 + index),
        subject: `ln-${index}`,
        actor: 'entangle',
        detail: content,
      },
      head,
      sha256,
    );
    records.push(record);
    head = { seq: record.seq, hash: record.hash };
  }
  return records;
}

function headOf(records: readonly AuditRecord[]): ChainHead {
  const last = records.at(-1);
  return last === undefined ? GENESIS : { seq: last.seq, hash: last.hash };
}

const chains = fc.array(detail, { minLength: 1, maxLength: 8 }).map(chainOf);

describe('chainFaults', () => {
  it('finds nothing in chains as the hub writes them, whatever order they come in', () => {
    fc.assert(
      fc.property(chains, (records) => {
        expect(chainFaults(records.toReversed(), headOf(records))).toEqual([]);
      }),
    );
  });

  it('names the record that was altered', () => {
    fc.assert(
      fc.property(chains, fc.nat(), (records, place) => {
        const index = place % records.length;
        const altered = records.map((record, at) => (at === index ? { ...record, actor: 'somebody else' } : record));
        expect(chainFaults(altered, headOf(records))).toEqual([
          `record ${index + 1} was altered: its hash does not fit its content`,
        ]);
      }),
    );
  });

  it('names the record that is missing, also at the end', () => {
    fc.assert(
      fc.property(chains, fc.nat(), (records, place) => {
        const index = place % records.length;
        const cut = records.filter((_, at) => at !== index);
        expect(chainFaults(cut, headOf(records))).toContain(`record ${index + 1} is missing`);
      }),
    );
  });

  it('finds a fault exactly where the check of the hub finds one', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.constantFrom('cut', 'alter', 'relink', 'none'), (records, place, damage) => {
        const index = place % records.length;
        const damaged = records.flatMap((record, at): AuditRecord[] => {
          if (at !== index || damage === 'none') return [record];
          if (damage === 'cut') return [];
          if (damage === 'alter') return [{ ...record, subject: 'another' }];
          const body = { ...record, previousHash: 'f'.repeat(64) };
          const { hash: _hash, ...rest } = body;
          const relinked = link({ ...rest }, { seq: record.seq - 1, hash: body.previousHash }, sha256);
          return [relinked];
        });
        const head = headOf(records);
        expect(chainFaults(damaged, head).length > 0).toBe(verifyChain(damaged, head, sha256).length > 0);
      }),
    );
  });

  it('accepts an account that has no records yet, and not one whose records have vanished', () => {
    expect(chainFaults([], null)).toEqual([]);
    expect(chainFaults([], { seq: 2, hash: 'a'.repeat(64) })).toContain('record 2 is missing');
  });

  it('does not accept records without a head', () => {
    expect(chainFaults(chainOf([{}]), null)).not.toEqual([]);
  });
});
