import type { InstanceSubstitution } from '../consent/consent.ts';
import type { LoanSubstance, PoolSpec } from '../pool.ts';
import { sharedZone } from './latency.ts';
import { regionNamed } from './regions.ts';

export type Gate =
  | 'same-account'
  | 'ceiling-not-fixed'
  | 'instance-type'
  | 'platform'
  | 'tenancy'
  | 'storage-type'
  | 'network'
  | 'region'
  | 'availability-zone'
  | 'consent'
  | 'residency'
  | 'security'
  | 'latency'
  | 'trust'
  | 'price'
  | 'windows'
  | 'terms'
  | 'headroom';

/** Why a pool is no partner of another. */
export interface GateRefusal {
  readonly gate: Gate;
  /** The field of the pool or of the consent that decides. */
  readonly field: string;
  /** For the borrower: what enrolling states of both pools, what its own consent says, of the lender's consent a code. */
  readonly detail: string;
  /** Where the lender's consent decides: its field with both values, for the lender and for who runs the fleet. */
  readonly lenderDetail?: string;
}

/** What both consents let be different between two pools; absent: nothing. */
export interface AcceptedDifferences {
  /** Of the borrower. */
  readonly substitutions?: readonly InstanceSubstitution[];
  /** Both consents accept nominal loans over regions. */
  readonly otherRegions?: boolean;
}

const EQUAL_FIELDS = [
  ['platform', 'platform'],
  ['tenancy', 'tenancy'],
  ['storage-type', 'storageType'],
] as const;

function differing(
  gate: Gate,
  field: keyof PoolSpec & ('region' | 'instanceType' | 'platform' | 'tenancy' | 'storageType'),
  lender: PoolSpec,
  borrower: PoolSpec,
): GateRefusal {
  return { gate, field, detail: `the lender's ${field} is ${lender[field]}, the borrower's ${borrower[field]}` };
}

/** What a loan from the pool moves. */
export function loanSubstanceOf(lender: Pick<PoolSpec, 'lendsAs'>): LoanSubstance {
  return lender.lendsAs ?? 'nominal';
}

/** What a loan between two pools moves: reserved capacity goes only where the borrower's group launches into it. */
export function pairSubstanceOf(
  lender: Pick<PoolSpec, 'lendsAs'>,
  borrower: Pick<PoolSpec, 'launchesIntoReservations'>,
): LoanSubstance {
  return borrower.launchesIntoReservations === true ? loanSubstanceOf(lender) : 'nominal';
}

/**
 * Units of the lender's that stand in for one unit of the borrower's: 1 for the same instance type, what the borrower declared
 * for another, undefined when it declared nothing.
 */
export function unitRatioOf(
  lender: Pick<PoolSpec, 'instanceType'>,
  borrower: Pick<PoolSpec, 'instanceType'>,
  substitutions: readonly InstanceSubstitution[] = [],
): number | undefined {
  if (lender.instanceType === borrower.instanceType) return 1;
  return substitutions.find(({ from, to }) => from === borrower.instanceType && to === lender.instanceType)?.unitRatio;
}

/** A product this little above a whole number, relative to itself, is that number: 1.1 and the like are not exact in binary. */
const ROUNDING_ERROR = 1e-12;

/** A whole number of what belongs to units of the borrower's (units, micro-dollars a unit) times the unit ratio, rounded up. */
export function timesUnitRatio(count: number, unitRatio: number): number {
  const product = count * unitRatio;
  const whole = Math.floor(product);
  return whole > 0 && product - whole <= ROUNDING_ERROR * product ? whole : Math.ceil(product);
}

function placeRefusal(lender: PoolSpec, borrower: PoolSpec, accepted: AcceptedDifferences): GateRefusal | undefined {
  const substance = loanSubstanceOf(lender);
  if (lender.region !== borrower.region) {
    const [a, b] = [regionNamed(lender.region), regionNamed(borrower.region)];
    const reachable = a !== undefined && a.partition === b?.partition;
    if (!(reachable && accepted.otherRegions === true && substance === 'nominal')) {
      return differing('region', 'region', lender, borrower);
    }
  }
  // Reserved capacity stays in its zone; a ceiling is lent wherever the group is.
  if (substance === 'physical' && sharedZone(lender, borrower) === undefined) {
    const detail = `the lender's azIds are ${lender.azIds.join(', ')}, the borrower's ${borrower.azIds.join(', ')}`;
    return { gate: 'availability-zone', field: 'azIds', detail };
  }
  return undefined;
}

/**
 * The first fact about two pools for which a unit of one cannot stand in for a unit of the other; undefined when it can. Pools of
 * one account need no lending: the owner moves its own ceilings.
 */
export function gateRefusal(
  lender: PoolSpec,
  borrower: PoolSpec,
  accepted: AcceptedDifferences = {},
): GateRefusal | undefined {
  if (lender.accountId === borrower.accountId) {
    const detail = `both pools belong to the account ${lender.accountId}`;
    return { gate: 'same-account', field: 'accountId', detail };
  }
  const place = placeRefusal(lender, borrower, accepted);
  if (place !== undefined) return place;
  if (unitRatioOf(lender, borrower, accepted.substitutions) === undefined) {
    return differing('instance-type', 'instanceType', lender, borrower);
  }
  for (const [gate, field] of EQUAL_FIELDS) {
    if (lender[field] !== borrower[field]) return differing(gate, field, lender, borrower);
  }
  if (lender.networkGbps < borrower.networkGbps) {
    const detail = `the lender's bandwidth is ${lender.networkGbps} Gbit/s, the borrower needs ${borrower.networkGbps}`;
    return { gate: 'network', field: 'networkGbps', detail };
  }
  return undefined;
}
