import { describe, expect, it } from '@jest/globals';
import { accept, isRefused, propose } from '../../../core/pairing/lifecycle.ts';
import type { Pairing, PairingId } from '../../../core/pairing/pairing.ts';
import { alsoLimited, stateLimit } from '../../../core/pairing/pairing-limit.ts';
import { pairingFor } from '../../../core/pairing/pairing-view.ts';
import { accountId, invariant, microUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, LENDER, NOW, specOf } from '../../support/fixtures.ts';

function proposed(): Pairing {
  const made = propose(
    {
      pairingId: 'pr-000000000000000000000001' as PairingId,
      lenderPoolId: specOf(LENDER).poolId,
      lenderAccountId: LENDER,
      borrowerPoolId: specOf(BORROWER).poolId,
      borrowerAccountId: BORROWER,
      expectedUnits: [1],
      confidence: 1,
      savingMicroUsd: { low: microUsd(0), mid: microUsd(0), high: microUsd(0), expected: microUsd(0) },
      reasons: [],
      metricReasons: [],
    },
    undefined,
    'pair',
    NOW,
  );
  invariant(!isRefused(made), 'it is proposed');
  return made.pairing;
}

const owner = (account: typeof LENDER) => ({ accountId: account, actor: `arn:aws:iam::${account}:role/owner` });

describe('the limit of a pairing', () => {
  it('is stated along with the acceptance, and stands in the audit record', () => {
    const accepted = accept(proposed(), { ...owner(LENDER), consent: consentOf(LENDER) }, 'explicit', NOW);
    invariant(!isRefused(accepted), 'it is accepted');
    const { pairing, audit, counterpartAudit } = alsoLimited(accepted, LENDER, { maxUnits: 3 });
    expect(pairing.limits).toEqual([{ accountId: LENDER, maxUnits: 3 }]);
    expect(audit.detail).toMatchObject({ maxUnits: 3, maxUnitHoursPerMonth: null });
    expect(counterpartAudit.detail).not.toHaveProperty('maxUnits');
    expect(pairingFor(LENDER, pairing, 'none').limit).toEqual({ maxUnits: 3 });
    expect(pairingFor(BORROWER, pairing, 'none')).not.toHaveProperty('limit');
  });

  it('is changed and taken away by the party whose it is', () => {
    const limited = stateLimit(proposed(), owner(BORROWER), { maxUnitHoursPerMonth: 7 }, NOW);
    invariant(!isRefused(limited), 'it is limited');
    expect(limited).toMatchObject({
      pairing: { version: 2, state: 'proposed', limits: [{ accountId: BORROWER, maxUnitHoursPerMonth: 7 }] },
      expectedVersion: 1,
      audit: { accountId: BORROWER, type: 'pairing.limited', detail: { maxUnitHoursPerMonth: 7 } },
    });
    const free = stateLimit(limited.pairing, owner(BORROWER), undefined, NOW);
    invariant(!isRefused(free), 'it is free');
    expect(free.pairing).not.toHaveProperty('limits');
  });

  it('is refused to strangers and of what has ended', () => {
    expect(stateLimit(proposed(), owner(accountId('999999999999')), { maxUnits: 1 }, NOW)).toMatchObject({
      refused: true,
    });
    expect(stateLimit({ ...proposed(), state: 'ended' }, owner(LENDER), { maxUnits: 1 }, NOW)).toMatchObject({
      refused: true,
      code: 'wrong-state',
    });
  });
});
