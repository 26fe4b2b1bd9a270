import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { LentView, ReservationView, ShareView } from '../../../core/lending/physical.ts';
import { mergeObjection, nextLendStep, nextReclaimStep, nextRestoreStep } from '../../../core/lending/physical.ts';
import { poolSpecOf } from './physical-pools.ts';

const lender = poolSpecOf({ lendsAs: 'physical' });
const borrower = poolSpecOf({ launchesIntoReservations: true }, '333333333333');
const LOAN = 'ln-0123456789abcdef01234567';

/** Reservations of one account as EC2 and RAM keep them, with what they do only after a while. */
class Capacity {
  source: ReservationView;
  split: ReservationView | undefined;
  part: ReservationView | undefined;
  share: ShareView | undefined;
  used = 0;

  constructor(units: number) {
    this.source = reservationOf('cr-source', units);
  }

  get owned(): number {
    const active = [this.source, this.split, this.part].filter((one) => one?.state === 'active');
    return active.reduce((sum, one) => sum + (one?.totalUnits ?? 0), 0);
  }

  view(): LentView {
    return {
      ...(this.split === undefined ? {} : { split: this.split }),
      ...(this.part?.state === 'active'
        ? { part: { ...this.part, unusedUnits: this.part.totalUnits - this.used } }
        : {}),
      ...(this.share === undefined ? {} : { share: this.share }),
    };
  }

  /** What AWS does by itself. */
  settle(): void {
    const allocation = this.split?.allocation;
    if (this.split === undefined || allocation === undefined) return;
    if (allocation.status === 'pending') {
      const units = allocation.targetUnits;
      this.part = { ...reservationOf('cr-part', units), interruptible: true, loanId: LOAN };
      this.split = {
        ...this.split,
        totalUnits: this.split.totalUnits - units,
        unusedUnits: 0,
        allocation: { status: 'active', units, targetUnits: units, reservationId: 'cr-part' },
      };
    } else if (allocation.status === 'updating') {
      const units = allocation.units;
      this.used = 0;
      if (this.part !== undefined) this.part = { ...this.part, totalUnits: 0, state: 'cancelled' };
      this.split = {
        ...this.split,
        totalUnits: units,
        unusedUnits: units,
        allocation: { ...allocation, units: 0, status: 'canceled' },
      };
    }
  }

  lendOnce(units: number): string {
    const next = nextLendStep(this.view(), [this.source], { lender, borrower, units });
    if (next.step === 'split') {
      this.source = this.withUnits(this.source, -units);
      this.split = { ...reservationOf('cr-split', units), loanId: LOAN, splitFrom: next.sourceReservationId };
    } else if (next.step === 'allocate' && this.split !== undefined) {
      this.split = { ...this.split, allocation: { status: 'pending', units: 0, targetUnits: units } };
    } else if (next.step === 'share') {
      this.share = { shareArn: 'arn:share', active: true, lendingEnabled: true };
    }
    return next.step;
  }

  reclaimOnce(): string {
    const next = nextReclaimStep(this.view());
    const allocation = this.split?.allocation;
    if (next.step === 'recall' && this.split !== undefined && allocation !== undefined) {
      this.split = { ...this.split, allocation: { ...allocation, targetUnits: 0, status: 'updating' } };
    }
    return next.step;
  }

  restoreOnce(): string {
    const next = nextRestoreStep(this.view(), this.source);
    if (next.step === 'unshare') this.share = undefined;
    if (next.step === 'merge' && this.split !== undefined) {
      this.source = this.withUnits(this.source, next.units);
      this.split = { ...this.withUnits(this.split, -next.units), state: 'cancelled' };
    }
    return next.step;
  }

  /** What an owner does to it behind the hub's back, as far as AWS allows it. */
  interfere(act: (typeof ACTS)[number]): void {
    const { source, split } = this;
    if (act === 'source-cancelled') this.source = { ...source, state: 'cancelled', totalUnits: 0, unusedUnits: 0 };
    if (act === 'source-limited') this.source = { ...source, endless: false };
    if (act === 'source-untagged') this.source = { ...source, lendingEnabled: false };
    if (act === 'source-raised' && source.state === 'active') this.source = this.withUnits(source, 3);
    if (act === 'share-deleted') this.share = undefined;
    if (act === 'share-untagged' && this.share !== undefined) this.share = { ...this.share, lendingEnabled: false };
    if (split === undefined || split.state !== 'active') return;
    if (act === 'split-raised') this.split = this.withUnits(split, 2);
    if (act === 'split-untagged') this.split = { ...split, lendingEnabled: false };
    const { allocation } = split;
    if (act === 'asked-back' && allocation?.status === 'active') {
      this.split = { ...split, allocation: { ...allocation, targetUnits: 0, status: 'updating' } };
    }
  }

  private withUnits(one: ReservationView, change: number): ReservationView {
    return { ...one, totalUnits: one.totalUnits + change, unusedUnits: one.unusedUnits + change };
  }
}

const ACTS = [
  'source-cancelled',
  'source-limited',
  'source-untagged',
  'source-raised',
  'share-deleted',
  'share-untagged',
  'split-raised',
  'split-untagged',
  'asked-back',
] as const;

function reservationOf(reservationId: string, units: number): ReservationView {
  return {
    reservationId,
    reservationArn: `arn:${reservationId}`,
    state: 'active',
    instanceType: lender.instanceType,
    platform: lender.platform,
    tenancy: lender.tenancy,
    azId: lender.azIds[0] ?? '',
    totalUnits: units,
    unusedUnits: units,
    endless: true,
    instanceMatchCriteria: 'targeted',
    interruptible: false,
    lendingEnabled: true,
  };
}

function until(end: string, step: () => string, settle: () => void): number {
  for (let tries = 1; tries <= 20; tries += 1) {
    if (step() === end) return tries;
    settle();
  }
  throw new Error(`never ${end}`);
}

describe('a loan of reserved capacity', () => {
  const sizes = fc
    .integer({ min: 2, max: 50 })
    .chain((owned) => fc.record({ owned: fc.constant(owned), units: fc.integer({ min: 1, max: owned - 1 }) }));

  it('goes out and comes back whole, wherever it is stopped, and the lender never owns less', () => {
    const stops = fc.record({ lendSteps: fc.integer({ min: 0, max: 8 }), settled: fc.boolean(), used: fc.nat(50) });
    fc.assert(
      fc.property(sizes, stops, ({ owned, units }, { lendSteps, settled, used }) => {
        const world = new Capacity(owned);
        for (let step = 0; step < lendSteps; step += 1) {
          world.lendOnce(units);
          if (settled) world.settle();
          expect(world.owned).toBe(owned);
        }
        world.used = Math.min(used, world.part?.totalUnits ?? 0);
        const check = (step: () => string) => () => {
          const done = step();
          expect(world.owned).toBe(owned);
          return done;
        };
        until(
          'done',
          check(() => world.reclaimOnce()),
          () => world.settle(),
        );
        expect(world.part?.state ?? 'cancelled').toBe('cancelled');
        until(
          'done',
          check(() => world.restoreOnce()),
          () => undefined,
        );
        expect(world.source).toMatchObject({ totalUnits: owned, unusedUnits: owned });
        expect(world.share).toBeUndefined();
      }),
    );
  });

  it('comes to its end whatever its owners do to it, loses nothing, and leaves only what its owner took out of reach', () => {
    const acts = fc.array(fc.record({ act: fc.constantFrom(...ACTS), step: fc.integer({ min: 0, max: 12 }) }), {
      maxLength: 3,
    });
    const stops = fc.record({ lendSteps: fc.integer({ min: 0, max: 6 }), acts });
    fc.assert(
      fc.property(sizes, stops, ({ owned, units }, { lendSteps, acts: drawn }) => {
        const world = new Capacity(owned);
        let step = 0;
        const turn = (move: () => string) => () => {
          for (const { act } of drawn.filter((each) => each.step === step)) world.interfere(act);
          step += 1;
          const before = world.owned;
          const done = move();
          expect(world.owned).toBe(before);
          return done;
        };
        for (let lent = 0; lent < lendSteps; lent += 1) {
          turn(() => world.lendOnce(units))();
          world.settle();
        }
        const settle = () => world.settle();
        until(
          'done',
          turn(() => world.reclaimOnce()),
          settle,
        );
        until(
          'done',
          turn(() => world.restoreOnce()),
          () => undefined,
        );
        const { split, source, share } = world;
        const isOutOfReach = split?.lendingEnabled === false || mergeObjection(source) !== undefined;
        expect(split?.state === 'active' && !isOutOfReach).toBe(false);
        expect(share === undefined || !share.lendingEnabled).toBe(true);
      }),
    );
  });

  it('is done in as few steps as there are calls, and then nothing is done again', () => {
    fc.assert(
      fc.property(sizes, ({ owned, units }) => {
        const world = new Capacity(owned);
        // split, allocate, share, done; AWS settles in between.
        expect(
          until(
            'done',
            () => world.lendOnce(units),
            () => world.settle(),
          ),
        ).toBe(4);
        const before = structuredClone(world.view());
        expect(world.lendOnce(units)).toBe('done');
        expect(world.view()).toEqual(before);
        expect(world.view().part).toMatchObject({ totalUnits: units, interruptible: true });
      }),
    );
  });

  it('never cancels or merges what is still lent', () => {
    fc.assert(
      fc.property(sizes, ({ owned, units }) => {
        const world = new Capacity(owned);
        until(
          'done',
          () => world.lendOnce(units),
          () => world.settle(),
        );
        world.used = units;
        expect(nextReclaimStep(world.view()).step).toBe('recall');
        world.reclaimOnce();
        expect(nextReclaimStep(world.view())).toMatchObject({ step: 'wait' });
      }),
    );
  });
});
