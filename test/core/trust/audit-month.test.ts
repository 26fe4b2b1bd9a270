import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { AuditEvent } from '../../../core/audit/chain.ts';
import { utcMonth } from '../../../core/calendar.ts';
import { DENIED_ACCESSES_FOR_FINDING, monthBefore, monthSpanOf, verdictOf } from '../../../core/trust/audit-month.ts';
import { epochMillis } from '../../../core/units.ts';
import { BORROWER } from '../../support/fixtures.ts';

const at = (text: string) => epochMillis(Date.parse(text));
const JANUARY = at('2027-01-15T12:00:00Z');

function event(type: string, when = '2026-12-10T00:00:00Z'): AuditEvent {
  return { accountId: BORROWER, type, at: at(when), subject: 's', actor: 'a', detail: {} };
}

const denied = (times: number) => Array.from({ length: times }, () => event('access.denied'));
const verdict = (records: readonly AuditEvent[]) => verdictOf(BORROWER, records, monthBefore(JANUARY));

describe('the last month that is over', () => {
  it('lies before the month of any moment, without a gap', () => {
    expect(monthBefore(JANUARY)).toEqual({
      month: '2026-12',
      from: at('2026-12-01T00:00:00Z'),
      to: at('2027-01-01T00:00:00Z'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (millis) => {
        const span = monthBefore(epochMillis(millis));
        const before = new Date(span.to - 1).toISOString().slice(0, 7);
        expect([span.month, utcMonth(span.from), utcMonth(span.to)]).toEqual([
          before,
          before,
          utcMonth(epochMillis(millis)),
        ]);
        expect(utcMonth(epochMillis(span.from - 1))).not.toBe(span.month);
        expect(monthSpanOf(span.month)).toEqual(span);
      }),
    );
  });

  it.each(['2026-00', '2026-13', '2026-1', '26-01', '2026-10-01', ''])('is not %j', (text) => {
    expect(monthSpanOf(text)).toBeUndefined();
  });
});

describe('what the records of a month show', () => {
  it('is a clean month of an account that lent or borrowed', () => {
    expect(verdict([event('loan.reserved')])).toMatchObject({
      kind: 'audit-clean',
      evidenceId: 'audit#2026-12',
      subject: '2026-12',
      at: at('2027-01-01T00:00:00Z'),
    });
  });

  it('is nothing of an account that did nothing, or nothing in that month', () => {
    expect(verdict([event('consent.given')])).toBeUndefined();
    expect(
      verdict([event('loan.active', '2026-11-30T23:59:59Z'), event('loan.active', '2027-01-01T00:00:00Z')]),
    ).toBeUndefined();
  });

  it('is a finding of who was denied again and again, and nothing beside what a few denied accesses count', () => {
    const lent = event('loan.returned');
    expect(verdict([lent, ...denied(DENIED_ACCESSES_FOR_FINDING - 1)])).toBeUndefined();
    expect(verdict([lent, ...denied(DENIED_ACCESSES_FOR_FINDING)])?.kind).toBe('audit-finding-minor');
  });
});
