import { describe, expect, it } from '@jest/globals';
import type { ReservationView } from '../../../core/lending/physical.ts';
import { loanKindOf, nextLendStep, nextReclaimStep, nextRestoreStep } from '../../../core/lending/physical.ts';
import { poolSpecOf } from './physical-pools.ts';

const lender = poolSpecOf({ lendsAs: 'physical' });
const borrower = poolSpecOf({ launchesIntoReservations: true }, '333333333333');

const source: ReservationView = {
  reservationId: 'cr-source',
  reservationArn: 'arn:cr-source',
  state: 'active',
  instanceType: 'm5.large',
  platform: 'Linux/UNIX',
  tenancy: 'default',
  azId: 'use1-az2',
  totalUnits: 8,
  unusedUnits: 5,
  endless: true,
  instanceMatchCriteria: 'targeted',
  interruptible: false,
  lendingEnabled: true,
};
const lendFrom = (...candidates: ReservationView[]) => nextLendStep({}, candidates, { lender, borrower, units: 3 });

describe('the kind of a loan', () => {
  it('is physical when the lender lends reservations and the borrower launches into them', () => {
    expect(loanKindOf(lender, borrower, 3)).toBe('physical');
  });

  it.each([
    ['the lender lends ceilings', poolSpecOf(), borrower, 3],
    ['the lender has no reservation', poolSpecOf({ lendsAs: 'physical', commitments: [] }), borrower, 3],
    ['the borrower does not launch into reservations', lender, poolSpecOf({}, '333333333333'), 3],
    ['the instances are of another type', lender, { ...borrower, instanceType: 'm5.xlarge' }, 3],
    ['no zone is shared', lender, { ...borrower, azIds: ['use1-az6'] }, 3],
    ['it is more than one allocation holds', lender, borrower, 1_001],
  ])('is nominal when %s', (_why, lends, borrows, units) => {
    expect(loanKindOf(lends, borrows, units)).toBe('nominal');
  });
});

describe('the reservation that is split', () => {
  it('is the one that suffices with the fewest unused instances', () => {
    const larger = { ...source, reservationId: 'cr-larger', unusedUnits: 7 };
    const smaller = { ...source, reservationId: 'cr-smaller', unusedUnits: 2 };
    expect(lendFrom(larger, source, smaller)).toEqual({ step: 'split', sourceReservationId: 'cr-source' });
  });

  it.each<[Partial<ReservationView>, string]>([
    [{ lendingEnabled: false }, 'it is not tagged entangle:lending=enabled'],
    [{ endless: false }, 'it has an end date'],
    [{ allocation: { status: 'active', units: 1, targetUnits: 1 } }, 'it has an interruptible allocation already'],
    [{ instanceType: 'm5.xlarge' }, 'its instanceType is m5.xlarge, not m5.large'],
    [{ platform: 'Windows' }, 'its platform is Windows, not Linux/UNIX'],
    [{ tenancy: 'dedicated' }, 'its tenancy is dedicated, not default'],
    [{ azId: 'use1-az6' }, 'it is in use1-az6, not in use1-az1 or use1-az2'],
    [{ unusedUnits: 2 }, '2 of its instances are unused'],
    [{ totalUnits: 3, unusedUnits: 3 }, 'all of it would be lent, and one instance has to stay in it'],
  ])('is not one of which %j', (changes, why) => {
    expect(lendFrom({ ...source, ...changes })).toEqual({
      step: 'refuse',
      reason: `no reservation of ${lender.poolId} has 3 instances to lend: cr-source: ${why}`,
    });
  });

  it('is none when there is none', () => {
    expect(lendFrom({ ...source, state: 'expired' })).toMatchObject({
      reason: expect.stringContaining('it has no active reservation'),
    });
  });
});

const split: ReservationView = {
  ...source,
  reservationId: 'cr-split',
  totalUnits: 3,
  unusedUnits: 3,
  loanId: 'ln-1',
  splitFrom: 'cr-source',
};
const allocated = (status: string, units: number, targetUnits = units): ReservationView => ({
  ...split,
  totalUnits: 3 - units,
  unusedUnits: 3 - units,
  allocation: { status, units, targetUnits },
});
const part: ReservationView = {
  ...split,
  reservationId: 'cr-part',
  reservationArn: 'arn:cr-part',
  interruptible: true,
};
const next = (view: Parameters<typeof nextLendStep>[0]) => nextLendStep(view, [], { lender, borrower, units: 3 });

describe('lending', () => {
  it('waits while AWS makes the allocation, and shares what comes of it', () => {
    expect(next({ split: allocated('pending', 0, 3) })).toMatchObject({ step: 'wait' });
    expect(next({ split: allocated('active', 3) })).toMatchObject({ step: 'wait' });
    expect(next({ split: allocated('active', 3), part })).toEqual({ step: 'share', reservationArn: 'arn:cr-part' });
    const share = { shareArn: 'arn:share', active: true, lendingEnabled: true };
    expect(next({ split: allocated('active', 3), part, share: { ...share, active: false } })).toMatchObject({
      step: 'wait',
    });
    expect(next({ split: allocated('active', 3), part, share })).toEqual({
      step: 'done',
      reservations: {
        lent: { reservationId: 'cr-part', reservationArn: 'arn:cr-part', shareArn: 'arn:share' },
        own: { sourceReservationId: 'cr-source', splitReservationId: 'cr-split', instanceMatchCriteria: 'targeted' },
      },
    });
  });

  it('gives up what can come to no end', () => {
    expect(next({ split: { ...split, state: 'cancelled' } })).toMatchObject({ step: 'refuse' });
    expect(next({ split: { ...split, unusedUnits: 2 } })).toMatchObject({ step: 'refuse' });
    expect(next({ split: allocated('failed', 0, 3) })).toMatchObject({ step: 'refuse' });
    expect(next({ split: allocated('active', 2), part })).toMatchObject({ step: 'refuse' });
  });
});

describe('reclaiming', () => {
  it('waits for an allocation that is not there yet, then asks it back, then waits for its instances', () => {
    expect(nextReclaimStep({ split: allocated('pending', 0, 3) })).toMatchObject({ step: 'wait' });
    expect(nextReclaimStep({ split: allocated('active', 3), part })).toEqual({
      step: 'recall',
      splitReservationId: 'cr-split',
    });
    expect(
      nextReclaimStep({ split: allocated('updating', 2, 0), part: { ...part, totalUnits: 2, unusedUnits: 0 } }),
    ).toEqual({
      step: 'wait',
      reason: '2 instances of the interruptible allocation of cr-split are still to come back, 2 are in use',
    });
    expect(nextReclaimStep({ split: allocated('canceled', 0) })).toEqual({ step: 'done' });
    expect(nextReclaimStep({ split: allocated('active', 0) })).toEqual({ step: 'done' });
    expect(nextReclaimStep({})).toEqual({ step: 'done' });
  });
});

describe('restoring', () => {
  const whole = allocated('canceled', 0);

  it('unshares first, then merges', () => {
    const share = { shareArn: 'arn:share', active: true, lendingEnabled: true };
    expect(nextRestoreStep({ split: whole, share }, source)).toEqual({ step: 'unshare', shareArn: 'arn:share' });
    expect(nextRestoreStep({ split: whole }, source)).toEqual({
      step: 'merge',
      splitReservationId: 'cr-split',
      sourceReservationId: 'cr-source',
      units: 3,
    });
  });

  it('cancels a part only when it is empty', () => {
    expect(nextRestoreStep({ split: { ...whole, totalUnits: 0, unusedUnits: 0 } }, source)).toMatchObject({
      step: 'cancel',
    });
  });

  it('leaves the part with the lender when its source is gone, or instances of the lender run in it', () => {
    expect(nextRestoreStep({ split: whole }, undefined)).toEqual({ step: 'done' });
    expect(nextRestoreStep({ split: whole }, { ...source, state: 'cancelled' })).toEqual({ step: 'done' });
    expect(nextRestoreStep({ split: { ...whole, unusedUnits: 0 } }, source)).toEqual({ step: 'done' });
  });
});
