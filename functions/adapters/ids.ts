import { hash } from 'node:crypto';
import type { Sha256Hex } from '../../core/audit/chain.ts';
import type { PairingId } from '../../core/pairing/pairing.ts';
import { pairingIdOf } from '../../core/pairing/pairing.ts';
import type { EpochMillis, LoanId, PoolId } from '../../core/units.ts';

export const sha256Hex: Sha256Hex = (text) => hash('sha256', text);

const LOAN_ID_HEX_DIGITS = 24;

/**
 * The id of the loan that an alarm transition asks for, or a slot of a forecast. The same transition, repeated or late, gives
 * the same id, and so one loan. When an alarm outlasts a refusal or a loan, the end of the cool-down stands for a new
 * transition.
 * @param trigger name of the alarm, or a name that no alarm has
 */
export function loanIdFor(poolId: PoolId, trigger: string, at: EpochMillis): LoanId {
  const digest = sha256Hex([poolId, trigger, at].join('\n'));
  return `ln-${digest.slice(0, LOAN_ID_HEX_DIGITS)}` as LoanId;
}

/** The id of a part of a request after the first, whose id is the request's. */
export function partIdFor(requestId: LoanId, part: number): LoanId {
  const digest = sha256Hex([requestId, 'part', part].join('\n'));
  return `ln-${digest.slice(0, LOAN_ID_HEX_DIGITS)}` as LoanId;
}

/** The id of the pairing of two pools in their roles. */
export function pairingIdFor(lender: PoolId, borrower: PoolId): PairingId {
  return pairingIdOf(lender, borrower, sha256Hex);
}
