import type { PairContext } from '../core/pairing/assess.ts';
import type { GateRefusal } from '../core/pairing/gates.ts';
import type { AccountId } from '../core/units.ts';

/**
 * Why a pair is refused, with the values of both sides: who has the file of a fleet may read all consents in it. In the hub, a
 * borrower reads `detail` alone.
 */
export function refusalReason(refusal: GateRefusal, lender: AccountId, context: PairContext): string {
  const { gate, field, detail, lenderDetail } = refusal;
  if (gate === 'price' && lenderDetail === undefined) {
    return `${detail}: at least ${context.consentOf(lender)?.terms.lend?.minPriceMicroUsdPerUnitHour ?? 0} for each of its units`;
  }
  if (lenderDetail === undefined) return detail;
  if (field.startsWith('lender.')) return lenderDetail;
  // Both begin with what they have in common.
  return `${detail};${lenderDetail.slice(lenderDetail.indexOf(';') + 1)}`;
}
