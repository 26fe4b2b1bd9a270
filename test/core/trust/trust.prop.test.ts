import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { EvidenceKind, TrustEvidence } from '../../../core/trust/evidence.ts';
import { EVIDENCE_KINDS, evidenceOf, TRUST_PARTS } from '../../../core/trust/evidence.ts';
import { NEWCOMER_TRUST, trustOf } from '../../../core/trust/trust.ts';
import { accountId, epochMillis } from '../../../core/units.ts';
import { BORROWER, NOW } from '../../support/fixtures.ts';

const DAY = 86_400_000;
const KINDS = Object.keys(EVIDENCE_KINDS) as EvidenceKind[];

const piece = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    daysAgo: fc.integer({ min: -1, max: 400 }),
    counterparty: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ kind, daysAgo, counterparty }) => ({
    kind,
    accountId: BORROWER,
    at: epochMillis(NOW - daysAgo * DAY),
    counterparty: accountId(String(counterparty).repeat(12)),
  }));

/** Each with an id of its own. */
const evidence = fc
  .array(piece, { maxLength: 30 })
  .map((pieces): TrustEvidence[] =>
    pieces.map(({ kind, ...about }, index) => evidenceOf(kind, { ...about, evidenceId: `e${index}`, subject: 's' })),
  );

const check = { numRuns: 200 };

describe('trustOf', () => {
  it('stays between 0 and 1 and between its worst and its best part', () => {
    fc.assert(
      fc.property(evidence, (known) => {
        const { score, parts } = trustOf(known, NOW);
        const scores = TRUST_PARTS.map((part) => parts[part].score);
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThan(1);
        expect(score).toBeGreaterThanOrEqual(Math.min(...scores) - 1e-12);
        expect(score).toBeLessThanOrEqual(Math.max(...scores) + 1e-12);
      }),
      check,
    );
  });

  it('never falls with evidence that is all good, never rises with evidence that is all bad', () => {
    fc.assert(
      fc.property(evidence, piece, (known, { kind, ...about }) => {
        const more = [...known, evidenceOf(kind, { ...about, evidenceId: 'more', subject: 's' })];
        const change = trustOf(more, NOW).score - trustOf(known, NOW).score;
        const { quality } = EVIDENCE_KINDS[kind];
        fc.pre(quality === 0 || quality === 1);
        if (quality === 1) expect(change).toBeGreaterThanOrEqual(-1e-12);
        else expect(change).toBeLessThan(0);
      }),
      check,
    );
  });

  it('does not depend on the order, nor on evidence that comes twice', () => {
    const shuffled = evidence.chain((known) =>
      fc.tuple(fc.constant(known), fc.shuffledSubarray([...known, ...known], { minLength: known.length * 2 })),
    );
    fc.assert(
      fc.property(shuffled, ([known, other]) => {
        expect(trustOf(other, NOW)).toEqual(trustOf(known, NOW));
      }),
      check,
    );
  });

  it('goes back to that of a newcomer as time passes', () => {
    fc.assert(
      fc.property(evidence, (known) => {
        const distance = (days: number) =>
          Math.abs(trustOf(known, epochMillis(NOW + days * DAY)).score - NEWCOMER_TRUST);
        expect(distance(3_650)).toBeLessThan(1e-6);
        for (const part of TRUST_PARTS) {
          const weight = (days: number) => {
            const { goodWeight, badWeight } = trustOf(known, epochMillis(NOW + days * DAY)).parts[part];
            return goodWeight + badWeight;
          };
          expect(weight(100)).toBeLessThanOrEqual(weight(2) + 1e-12);
        }
      }),
      { numRuns: 50 },
    );
  });
});
