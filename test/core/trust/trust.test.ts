import { describe, expect, it } from '@jest/globals';
import type { EvidenceKind, TrustEvidence } from '../../../core/trust/evidence.ts';
import { EVIDENCE_KINDS, evidenceOf, TRUST_PARTS } from '../../../core/trust/evidence.ts';
import { DEFAULT_TRUST_FLOOR, HALF_LIFE_DAYS, NEWCOMER_TRUST, trustOf } from '../../../core/trust/trust.ts';
import { accountId, epochMillis } from '../../../core/units.ts';
import { BORROWER, LENDER, NOW } from '../../support/fixtures.ts';

const DAY = 86_400_000;

function of(kind: EvidenceKind, id: string, daysAgo = 0, counterparty = LENDER): TrustEvidence {
  const at = epochMillis(NOW - daysAgo * DAY);
  return evidenceOf(kind, { evidenceId: id, accountId: BORROWER, at, counterparty, subject: id });
}

function several(kind: EvidenceKind, count: number): TrustEvidence[] {
  return Array.from({ length: count }, (_, index) =>
    of(kind, `${kind}-${index}`, 0, accountId(String(300_000_000_000 + index))),
  );
}

describe('trustOf', () => {
  it('takes a newcomer for neither trusted nor shut out', () => {
    const trust = trustOf([], NOW);
    expect(trust.score).toBeCloseTo(NEWCOMER_TRUST, 12);
    expect(trust.score).toBeGreaterThan(DEFAULT_TRUST_FLOOR);
    expect(trust.score).toBeLessThan(0.8);
    for (const part of TRUST_PARTS) expect(trust.parts[part]).toMatchObject({ score: 0.75, evidenceCount: 0 });
  });

  it('computes each part as the mean of a Beta distribution', () => {
    const trust = trustOf([...several('loan-kept', 4), of('recall-overdue', 'late')], NOW);
    // Beta(3 + 4, 1 + 2).
    expect(trust.parts.service.score).toBeCloseTo(7 / 10, 12);
    expect(trust.parts.service.uncertainty).toBeCloseTo(Math.sqrt((7 * 3) / (100 * 11)), 12);
    expect(trust.parts.payments.score).toBeCloseTo(0.75, 12);
    expect(trust.score).toBeCloseTo(1 / (0.4 / 0.75 + 0.3 / 0.75 + 0.3 / 0.7), 12);
  });

  it('counts evidence half after a half-life', () => {
    const { goodWeight } = trustOf([of('loan-kept', 'old', HALF_LIFE_DAYS)], NOW).parts.service;
    expect(goodWeight).toBeCloseTo(0.5, 12);
  });

  it('does not let other parts make up for one that is bad', () => {
    const trust = trustOf(
      [...several('loan-kept', 40), ...several('audit-clean', 40), ...several('payment-defaulted', 3)],
      NOW,
    );
    expect(trust.parts.service.score).toBeGreaterThan(0.95);
    expect(trust.score).toBeLessThan(DEFAULT_TRUST_FLOOR);
  });

  it('lets two accounts lift each other only so far', () => {
    const between = Array.from({ length: 200 }, (_, index) => of('loan-kept', `l${index}`));
    expect(trustOf(between, NOW).parts.service).toMatchObject({ goodWeight: 10, evidenceCount: 200 });
    expect(trustOf([...between, of('recall-overdue', 'bad')], NOW).parts.service.badWeight).toBe(2);
  });

  it('shows the newest evidence of each part', () => {
    const { payments } = trustOf(
      [1, 2, 3, 4, 5, 6].map((days) => of('payment-settled', `b${days}`, days)),
      NOW,
    ).parts;
    expect(payments.newestEvidence.map(({ subject }) => subject)).toEqual(['b1', 'b2', 'b3', 'b4', 'b5']);
    expect(payments.evidenceCount).toBe(6);
  });

  it('weighs a broken promise at least as much as a kept one of its part', () => {
    const weights = (part: string, isGood: boolean) =>
      Object.values(EVIDENCE_KINDS)
        .filter((each) => each.part === part && each.quality > 0.5 === isGood && each.weight >= 1)
        .map(({ weight }) => weight);
    for (const part of TRUST_PARTS) {
      expect(Math.min(...weights(part, false))).toBeGreaterThanOrEqual(Math.max(...weights(part, true)));
    }
  });
});
