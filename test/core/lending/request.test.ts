import { describe, expect, it } from '@jest/globals';
import type { LoanSnapshot } from '../../../core/lending/commit.ts';
import type { Waiting } from '../../../core/lending/loan.ts';
import { reservePart } from '../../../core/lending/parts.ts';
import { cancel, refuse, request, wait } from '../../../core/lending/request.ts';
import { placeOf, requestView } from '../../../core/lending/request-view.ts';
import type { Offer } from '../../../core/lending/saga.ts';
import type { LoanId } from '../../../core/units.ts';
import { epochMillis, invariant, microUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, LENDER, loanOf, NOW, poolOf, requestOf } from '../../support/fixtures.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const ID = 'ln-000000000000000000000001' as LoanId;
const REST = 'ln-000000000000000000000002' as LoanId;
const waiting: Waiting = { since: NOW, until: epochMillis(NOW + 60_000), lenderPoolIds: [poolOf(LENDER).spec.poolId] };
const later = epochMillis(NOW + 5_000);

function storeWithRequest(units = 4): MemoryStore {
  const store = new MemoryStore();
  for (const account of [BORROWER, LENDER]) {
    store.putPool(poolOf(account));
    store.putConsent(consentOf(account));
  }
  const { borrowerAccountId, borrowerPoolId, bindingResource, startedBy } = loanOf();
  const asked = {
    loanId: ID,
    borrowerAccountId,
    borrowerPoolId,
    bindingResource,
    startedBy,
    units,
    inServiceBefore: 10,
  };
  const first = { ...asked, request: requestOf(ID, poolOf(BORROWER), units), reason: 'cpu needs more' };
  store.commitNow(request(first, NOW), {});
  return store;
}

function snapshotOf(store: MemoryStore, id = ID): LoanSnapshot {
  const snapshot = store.snapshot(id);
  invariant(snapshot !== undefined, `${id} is in the store`);
  return snapshot;
}

function offerOf(units: number, restUnits?: number): Offer {
  return {
    units,
    ...(restUnits === undefined ? {} : { restUnits }),
    priceMicroUsdPerUnitHour: microUsd(40_000),
    termSeconds: 3_600,
    shortestTermSeconds: 600,
    borrowerConsent: consentOf(BORROWER),
    borrowerGroup: groupOf({ desiredCapacity: 10, inServiceUnits: 9 }),
    lender: { pool: poolOf(LENDER), consent: consentOf(LENDER), group: groupOf() },
    reasons: [],
  };
}

const typesOf = (store: MemoryStore, account = BORROWER) => (store.audit.get(account) ?? []).map(({ type }) => type);

describe('a part of a need', () => {
  it('asks for the rest in the same commit, each with its record', () => {
    const store = storeWithRequest();
    const snapshot = { ...snapshotOf(store), lenderPool: poolOf(LENDER) };
    store.commitNow(reservePart(snapshot, offerOf(1, 3), REST, later), {});
    const { loan: rest } = snapshotOf(store, REST);
    expect(rest).toMatchObject({
      state: 'requested',
      units: 3,
      startedBy: `borrow-${REST}-0`,
      request: { requestId: ID, part: 2, wantedUnits: 4, ceilingUnits: 14 },
    });
    expect(typesOf(store)).toEqual(['loan.requested', 'loan.requested']);
    expect(typesOf(store, LENDER)).toEqual(['loan.reserved']);
    expect(store.audit.get(BORROWER)?.[1]?.subject).toBe(REST);
  });

  it('that is all asks for nothing more', () => {
    const store = storeWithRequest();
    store.commitNow(reservePart({ ...snapshotOf(store), lenderPool: poolOf(LENDER) }, offerOf(4), REST, later), {});
    expect(store.loans.has(REST)).toBe(false);
  });

  it('after the first counts instances that are still starting as there before it', () => {
    const second = loanOf({ request: requestOf(ID, poolOf(BORROWER), 4, { part: 2 }), inServiceBefore: 3 });
    const snapshot = { loan: second, borrowerPool: poolOf(BORROWER), lenderPool: poolOf(LENDER), heads: {} };
    expect(reservePart(snapshot, offerOf(2), REST, later).loan.inServiceBefore).toBe(10);
    const first = { ...second, request: requestOf(ID, poolOf(BORROWER), 4) };
    expect(reservePart({ ...snapshot, loan: first }, offerOf(2), REST, later).loan.inServiceBefore).toBe(3);
  });
});

describe('a request that waits', () => {
  function waitingStore(): MemoryStore {
    const store = storeWithRequest();
    store.commitNow(wait(snapshotOf(store), waiting, [], NOW), {});
    return store;
  }

  it('has its pool for itself until it is served', () => {
    const store = waitingStore();
    expect(store.poolOf(poolOf(BORROWER).spec.poolId).waitingLoanId).toBe(ID);
    const lenderPool = store.poolOf(poolOf(LENDER).spec.poolId);
    store.commitNow(reservePart({ ...snapshotOf(store), lenderPool }, offerOf(4), REST, later), {});
    expect(snapshotOf(store).loan).toMatchObject({ state: 'reserved', waiting, inServiceBefore: 10 });
    expect(store.poolOf(poolOf(BORROWER).spec.poolId).waitingLoanId).toBeUndefined();
  });

  it('ends by its borrower without a cool-down, and by a refusal with one', () => {
    const cancelled = waitingStore();
    cancelled.commitNow(cancel(snapshotOf(cancelled), 'arn:aws:iam::111111111111:role/owner', later), {});
    expect(snapshotOf(cancelled).loan).toMatchObject({ state: 'cancelled', endedAt: later });
    expect(cancelled.audit.get(BORROWER)?.at(-1)).toMatchObject({
      type: 'loan.cancelled',
      actor: 'arn:aws:iam::111111111111:role/owner',
    });
    const { coolDownUntil, waitingLoanId } = cancelled.poolOf(poolOf(BORROWER).spec.poolId);
    expect([coolDownUntil, waitingLoanId]).toEqual([undefined, undefined]);
    const refused = waitingStore();
    refused.commitNow(refuse(snapshotOf(refused), 'waited long enough', later), {});
    expect(refused.poolOf(poolOf(BORROWER).spec.poolId)).not.toHaveProperty('waitingLoanId');
    expect(refused.poolOf(poolOf(BORROWER).spec.poolId).coolDownUntil).toBe(later + 600_000);
  });

  it('is shown with its place, what comes before it and what it has', () => {
    const { loan } = snapshotOf(waitingStore());
    const { request: part } = loan;
    invariant(part !== undefined, 'the request is a part');
    const other = loanOf({
      loanId: REST,
      state: 'waiting',
      waiting,
      units: 1,
      request: { ...part, requestId: REST, slaTier: 1 },
    });
    const ranking = { rules: [{ by: 'sla-tier' as const }], now: later, usages: new Map() };
    const place = placeOf(loan, [loan, other], ranking, later);
    expect(place).toEqual({
      since: NOW,
      until: waiting.until,
      rank: 2,
      before: [`${REST} is before ${ID}: its SLA tier is higher`],
      expectedAt: later,
    });
    const lent = loanOf({ loanId: REST, state: 'active', activeAt: NOW, units: 1, request: { ...part, part: 2 } });
    expect(requestView([loan, lent], place)).toMatchObject({
      requestId: ID,
      state: 'waiting',
      wantedUnits: 4,
      filledUnits: 1,
      missingUnits: 4,
      place: { rank: 2 },
    });
    expect(placeOf(lent, [loan], ranking, undefined)).toBeUndefined();
  });
});
