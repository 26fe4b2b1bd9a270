import { describe, expect, it } from '@jest/globals';
import type { ReservationView } from '../../../core/lending/physical.ts';
import { recordRepair } from '../../../core/lending/repair.ts';
import type { ReservationObservation } from '../../../core/lending/reservation-change.ts';
import { launchTargetChange, reservationChange } from '../../../core/lending/reservation-change.ts';
import { poolId } from '../../../core/units.ts';
import { BORROWER, LENDER, loanOf, NOW, poolOf, REGION } from '../../support/fixtures.ts';

const pool = poolOf(LENDER, { lentUnits: 2 });
const lentReservation = { reservationId: 'cr-part', reservationArn: 'arn:cr-part', shareArn: 'arn:share' };
const own = {
  sourceReservationId: 'cr-source',
  splitReservationId: 'cr-split',
  reservedUnits: 8,
  instanceMatchCriteria: 'targeted',
};
const loan = {
  ...loanOf({
    state: 'active',
    kind: 'physical',
    units: 2,
    activeAt: NOW,
    lenderAccountId: LENDER,
    lenderPoolId: poolId(LENDER, REGION, 'web'),
  }),
  lentReservation,
  lenderReservations: own,
};

const source: ReservationView = {
  reservationId: 'cr-source',
  reservationArn: 'arn:cr-source',
  state: 'active',
  instanceType: 'm5.large',
  platform: 'Linux/UNIX',
  tenancy: 'default',
  azId: 'use1-az2',
  totalUnits: 6,
  unusedUnits: 6,
  endless: true,
  instanceMatchCriteria: 'targeted',
  interruptible: false,
  lendingEnabled: true,
};
const allocation = { status: 'active', units: 2, targetUnits: 2, reservationId: 'cr-part' };
const split: ReservationView = {
  ...source,
  reservationId: 'cr-split',
  totalUnits: 0,
  unusedUnits: 0,
  loanId: loan.loanId,
  splitFrom: 'cr-source',
  allocation,
};
const part: ReservationView = {
  ...source,
  reservationId: 'cr-part',
  reservationArn: 'arn:cr-part',
  totalUnits: 2,
  unusedUnits: 0,
  interruptible: true,
  loanId: loan.loanId,
};
const share = { shareArn: 'arn:share', active: true, lendingEnabled: true };
const sharing = { principalStatus: 'ASSOCIATED', resourceStatus: 'ASSOCIATED' };

const whole: ReservationObservation = { pool: pool.spec, loan, reservations: [source, split, part], share, sharing };
const found = (changes: Partial<ReservationObservation> = {}) => reservationChange({ ...whole, ...changes });
/** The same three, one of them changed. */
const changed = (id: string, changes: Partial<ReservationView>) =>
  found({ reservations: whole.reservations.map((one) => (one.reservationId === id ? { ...one, ...changes } : one)) });

describe('reservationChange', () => {
  it('finds nothing in reserved capacity that is as its loan has left it', () => {
    expect(found().action).toBe('none');
    // A second loan of the same reservation changes nothing of the first.
    const other = { ...split, reservationId: 'cr-other', totalUnits: 3, loanId: 'ln-other' };
    const { allocation: _, ...unallocated } = other;
    expect(found({ reservations: [{ ...source, totalUnits: 3 }, split, part, unallocated] }).action).toBe('none');
    expect(found({ loan: { ...loan, state: 'returning' } }).action).toBe('none');
  });

  it.each<[string, Partial<ReservationView>, string, string]>([
    ['cr-split', { state: 'cancelled' }, 'reservation-gone', 'was cancelled'],
    ['cr-split', { lendingEnabled: false }, 'reservation-untagged', 'is no longer tagged entangle:lending=enabled'],
    ['cr-part', { lendingEnabled: false }, 'reservation-untagged', 'is no longer tagged entangle:lending=enabled'],
    ['cr-split', { endless: false }, 'reservation-limited', 'has got an end date'],
    ['cr-split', { allocation: { ...allocation, targetUnits: 1 } }, 'allocation-lowered', 'was asked back'],
    ['cr-split', { allocation: { ...allocation, status: 'canceled' } }, 'allocation-lowered', 'was asked back'],
    ['cr-part', { state: 'cancelled' }, 'allocation-lowered', 'was asked back'],
  ])('ends the loan when %s has %j', (id, changes, kind, what) => {
    const change = changed(id, changes);
    expect(change).toMatchObject({ action: 'end', kind, loans: [loan] });
    expect(change.reason).toContain(`the reserved capacity that ${pool.spec.poolId} lent ${what}`);
  });

  it('ends the loan when what was split off is not there at all', () => {
    expect(found({ reservations: [source] })).toMatchObject({ action: 'end', kind: 'reservation-gone' });
  });

  it.each<[string, Partial<ReservationObservation>]>([
    ['the share was deleted', { share: undefined, sharing: {} }],
    ["the borrower's account left it", { sharing: { ...sharing, principalStatus: 'DISASSOCIATED' } }],
    ["the borrower's account is not in it", { sharing: { resourceStatus: 'ASSOCIATED' } }],
    ['the reservation was taken out of it', { sharing: { ...sharing, resourceStatus: 'DISASSOCIATING' } }],
  ])('ends the loan when %s, and makes no share again', (_why, changes) => {
    expect(found(changes)).toMatchObject({
      action: 'end',
      kind: 'share-ended',
      reason: `the reserved capacity that ${pool.spec.poolId} lent is shared with its borrower no longer`,
    });
  });

  it('waits for an association that AWS has not decided', () => {
    expect(found({ sharing: { principalStatus: 'RESTORING', resourceStatus: 'SUSPENDED' } }).action).toBe('none');
  });

  it.each<[Partial<ReservationView>, string]>([
    [{ state: 'cancelled' }, 'it is cancelled'],
    [{ state: 'expired' }, 'it is expired'],
    [{ endless: false }, 'it has got an end date'],
    [{ lendingEnabled: false }, 'it is no longer tagged entangle:lending=enabled'],
  ])('goes on when the source has %j, and says so once', (changes, why) => {
    const change = changed('cr-source', changes);
    expect(change).toMatchObject({ action: 'repair', kind: 'source-gone', lenderReservations: { sourceGone: true } });
    if (change.action !== 'repair') throw new Error('it was to be repaired');
    expect(change.detail).toContain(`cr-source: ${why}`);
    const told = { ...loan, lenderReservations: { ...own, sourceGone: true } };
    const reservations = [{ ...source, ...changes }, split, part];
    expect(found({ loan: told, reservations }).action).toBe('none');
    expect(found({ loan: told })).toMatchObject({ kind: 'source-back', lenderReservations: { sourceGone: false } });
  });

  it('goes on when what is reserved was resized, and its books follow', () => {
    const reservations = [{ ...source, totalUnits: 9 }, split, part];
    expect(found({ reservations })).toMatchObject({
      action: 'repair',
      kind: 'source-resized',
      lenderReservations: { ...own, reservedUnits: 11 },
    });
    const followed = { ...loan, lenderReservations: { ...own, reservedUnits: 11 } };
    expect(found({ loan: followed, reservations }).action).toBe('none');
    // AWS is moving some of it: looked at later.
    const moving = { ...split, reservationId: 'cr-other', allocation: { ...allocation, units: 1 } };
    expect(found({ reservations: [...reservations, moving] }).action).toBe('none');
    const { reservedUnits: _, ...unknown } = own;
    expect(found({ loan: { ...loan, lenderReservations: unknown }, reservations }).action).toBe('none');
  });

  it('goes on when the part takes other instances', () => {
    expect(changed('cr-split', { instanceMatchCriteria: 'open' })).toMatchObject({
      action: 'repair',
      kind: 'reservation-changed',
      lenderReservations: { instanceMatchCriteria: 'open' },
    });
  });
});

describe('launchTargetChange', () => {
  const borrower = poolOf(BORROWER).spec;

  it('finds nothing while the target of the group holds what was lent', () => {
    const target = { arn: 'arn:group', reservationArns: ['arn:other', 'arn:cr-part'] };
    expect(launchTargetChange(borrower, loan, target).action).toBe('none');
  });

  it.each([
    [{ arn: 'arn:another', reservationArns: [] }, 'arn:another, its target, does not hold arn:cr-part'],
    [{ why: 'it targets no resource group of Capacity Reservations' }, 'it targets no resource group'],
  ])('ends the loan when the group launches elsewhere: %j', (target, detail) => {
    const change = launchTargetChange(borrower, loan, target);
    expect(change).toMatchObject({ action: 'end', kind: 'launch-target-changed', loans: [loan] });
    expect('detail' in change && change.detail).toContain(detail);
  });
});

describe('recordRepair of reserved capacity', () => {
  it("changes the loan's books, with the figures for the lender alone", () => {
    const change = changed('cr-source', { totalUnits: 9 });
    if (change.action !== 'repair') throw new Error('it was to be repaired');
    const snapshot = { loan, borrowerPool: poolOf(BORROWER), lenderPool: pool, heads: {} };
    const commit = recordRepair(snapshot, change, pool, true, NOW);
    expect(commit).toMatchObject({
      loan: { state: 'active', lenderReservations: { reservedUnits: 11 } },
      pools: [],
      audit: { type: 'loan.repaired', detail: { foreignChange: 'source-resized' } },
    });
    expect(commit.loan.reasons.at(-1)).toEqual({ text: change.detail, onlyFor: LENDER });
    expect(change.reason.replaceAll(pool.spec.poolId, '')).not.toMatch(/\d/);
  });
});
