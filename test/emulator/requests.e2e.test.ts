import { AutoScalingClient, CreateOrUpdateTagsCommand } from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from '@jest/globals';
import type { PoolCapacity } from '../../core/lending/capacity.ts';
import type { RequestView } from '../../core/lending/request-view.ts';
import { poolId } from '../../core/units.ts';
import { sha256Hex } from '../../functions/adapters/ids.ts';
import { clientOptions, Fleet, until } from '../support/deployment.ts';
import type { FleetPool } from '../support/lending-fleet.ts';
import { FLEET, idOf, PATIENT, REGION } from '../support/lending-fleet.ts';
import { auditOf, booksOf, borrow, calm, ended, giveBack, loanIn, overload } from '../support/loan-story.ts';

const fleet = new Fleet();

async function requestsOf(pool: FleetPool): Promise<RequestView[]> {
  const { requests } = await fleet.api<{ requests: RequestView[] }>(pool.account, 'GET', '/requests');
  return requests.filter(({ poolId }) => poolId === idOf(pool));
}

/** The request of a pool that waits, once it does. */
function waitingRequest(pool: FleetPool): Promise<RequestView> {
  return until(`a request of ${pool.groupName} waits`, async () =>
    (await requestsOf(pool)).find(({ state }) => state === 'waiting'),
  );
}

async function capacityOf(pool: FleetPool): Promise<PoolCapacity | undefined> {
  const query = `/capacity?pool=${encodeURIComponent(idOf(pool))}`;
  const { capacities } = await fleet.api<{ capacities: PoolCapacity[] }>(pool.account, 'GET', query);
  return capacities[0];
}

async function tagTier(pool: FleetPool, tier: number): Promise<void> {
  const client = new AutoScalingClient(clientOptions(fleet.deployed, pool.account));
  const tag = { ResourceId: pool.groupName, ResourceType: 'auto-scaling-group', PropagateAtLaunch: false };
  await client.send(
    new CreateOrUpdateTagsCommand({ Tags: [{ ...tag, Key: 'entangle:sla-tier', Value: String(tier) }] }),
  );
}

describe('a need that no lender can fill alone', () => {
  const { first, second, borrower } = FLEET.together;
  it('is filled by two of them, and both loans go back', async () => {
    const pools = [first, second, borrower];
    const before = await booksOf(fleet, pools);
    await calm(fleet, borrower);
    const since = await overload(fleet, borrower);
    const parts = await until('both parts are active', async () => {
      const own = (await fleet.loansOf(borrower.account)).filter(
        (loan) => loan.borrowerPoolId === idOf(borrower) && loan.requestedAt >= since,
      );
      const active = own.filter(({ state }) => state === 'active');
      return active.length === 2 ? active : undefined;
    });
    expect(parts.map(({ units }) => units)).toEqual([1, 1]);
    expect(new Set(parts.map(({ lenderPoolId }) => lenderPoolId))).toEqual(new Set([idOf(first), idOf(second)]));
    expect(new Set(parts.map(({ request }) => request?.requestId)).size).toBe(1);
    const [view] = await requestsOf(borrower);
    expect(view).toMatchObject({ state: 'filled', wantedUnits: 2, filledUnits: 2, missingUnits: 0 });
    expect((await fleet.group(idOf(borrower))).maxSize).toBe(6);
    for (const part of parts) await giveBack(fleet, part);
    expect(await booksOf(fleet, pools)).toEqual(before);
    const trail = (await auditOf(fleet, borrower.account)).filter(({ subject }) => subject === parts[1]?.loanId);
    expect(trail.filter(({ type }) => type === 'loan.requested')).toHaveLength(1);
  });
});

describe('a request that waits', () => {
  const { lender, first, patient } = FLEET.queue;
  it('is served when a loan returns', async () => {
    const pools = [lender, first, patient];
    const before = await booksOf(fleet, pools);
    await Promise.all([calm(fleet, first), calm(fleet, patient)]);
    const taken = await borrow(fleet, first);
    const since = await overload(fleet, patient);
    const waiting = await waitingRequest(patient);
    expect(waiting).toMatchObject({ missingUnits: 2, filledUnits: 0, place: { rank: 1, before: [] } });
    expect(waiting.place?.expectedAt).toBeGreaterThan(since);
    expect((await fleet.pool(idOf(patient))).waitingLoanId).toBe(waiting.requestId);
    await calm(fleet, first);
    await giveBack(fleet, taken);
    const served = await loanIn(fleet, patient, since, 'active');
    expect(served.loanId).toBe(waiting.requestId);
    expect(served.history.map(({ state }) => state).slice(0, 3)).toEqual(['requested', 'waiting', 'reserved']);
    expect((await fleet.pool(idOf(patient))).waitingLoanId).toBeUndefined();
    await calm(fleet, patient);
    await giveBack(fleet, served);
    expect(await booksOf(fleet, pools)).toEqual(before);
  });

  it('is cancelled by its borrower alone, and on record', async () => {
    await Promise.all([calm(fleet, first), calm(fleet, patient)]);
    const taken = await borrow(fleet, first);
    await overload(fleet, patient);
    const { requestId } = await waitingRequest(patient);
    await expect(fleet.api(first.account, 'DELETE', `/requests/${requestId}`)).rejects.toThrow('does not belong');
    await calm(fleet, patient);
    await fleet.api(PATIENT, 'DELETE', `/requests/${requestId}`);
    const loan = await ended(fleet, PATIENT, requestId);
    expect(loan).toMatchObject({ state: 'cancelled', endDetail: 'cancelled by its borrower' });
    await expect(fleet.api(PATIENT, 'DELETE', `/requests/${requestId}`)).rejects.toThrow('asks for nothing any more');
    expect(await requestsOf(patient)).toEqual([]);
    const trail = (await auditOf(fleet, PATIENT)).filter(({ subject }) => subject === requestId);
    expect(trail.map(({ type }) => type)).toEqual(['loan.requested', 'loan.waiting', 'loan.cancelled']);
    await calm(fleet, first);
    await giveBack(fleet, taken);
  });
});

describe('a request that comes first and cannot be served', () => {
  const { lender, patient, bulky } = FLEET.queue;
  it('keeps others waiting until it is cancelled, and then they are served at once', async () => {
    const pools = [lender, patient, bulky];
    await tagTier(bulky, 1);
    await Promise.all([calm(fleet, patient), calm(fleet, bulky)]);
    const before = await booksOf(fleet, pools);
    await overload(fleet, bulky);
    const first = await waitingRequest(bulky);
    expect(first).toMatchObject({ missingUnits: 3, place: { rank: 1 } });
    const since = await overload(fleet, patient);
    expect(await waitingRequest(patient)).toMatchObject({ missingUnits: 2, place: { rank: 2 } });
    expect(await capacityOf(patient)).toMatchObject({ couldBorrowUnits: 0 });
    await calm(fleet, bulky);
    await fleet.api(PATIENT, 'DELETE', `/requests/${first.requestId}`);
    // Nobody reconciles.
    const served = await loanIn(fleet, patient, since, 'active');
    expect(served).toMatchObject({ units: 2, lenderPoolId: idOf(lender) });
    await calm(fleet, patient);
    await giveBack(fleet, served);
    expect(await booksOf(fleet, pools)).toEqual(before);
  });
});

describe('a request of a pool that is not enrolled', () => {
  const { account } = FLEET.queue.patient;
  it('is refused, and on record once however often its step is repeated', async () => {
    const loanId = `ln-${sha256Hex(String(Date.now())).slice(0, 24)}`;
    const asked = {
      loanId,
      poolId: poolId(account, REGION, 'nobody'),
      alarmName: 'entangle/nobody/cpu',
      resourceType: 'cpu',
      transitionAtMillis: Date.now(),
      execution: `borrow-${loanId}-0`,
    };
    const refused = { outcome: 'refused', detail: `pool ${asked.poolId} is not enrolled` };
    expect(await fleet.invoke('assess', asked)).toEqual(refused);
    expect(await fleet.invoke('assess', { ...asked, execution: `borrow-${loanId}-1` })).toEqual(refused);
    const trail = (await auditOf(fleet, account)).filter(({ subject }) => subject === loanId);
    expect(trail.map(({ type }) => type)).toEqual(['loan.refused']);
  });
});

describe('a request of a higher tier', () => {
  const { lender, lower, higher } = FLEET.tiers;
  it('has a loan of a lower tier recalled, and gets what comes back', async () => {
    const pools = [lender, lower, higher];
    const before = await booksOf(fleet, pools);
    await tagTier(higher, 1);
    await Promise.all([calm(fleet, lower), calm(fleet, higher)]);
    const taken = await borrow(fleet, lower);
    await new Promise((resolve) => setTimeout(resolve, 1_000 * (taken.shortestTermSeconds + 1)));
    const since = await overload(fleet, higher);
    await until('the loan is recalled', async () =>
      (await fleet.loansOf(lower.account)).find(
        ({ loanId, recall }) => loanId === taken.loanId && recall !== undefined,
      ),
    );
    await calm(fleet, lower);
    const recalled = await ended(fleet, lower.account, taken.loanId);
    expect(recalled).toMatchObject({ state: 'returned', returnReason: 'recalled', recall: { by: 'higher-tier' } });
    const served = await loanIn(fleet, higher, since, 'active');
    expect(served).toMatchObject({ units: 2, lenderPoolId: idOf(lender) });
    expect(recalled.recall?.heldFor).toBe(served.loanId);
    await calm(fleet, higher);
    await giveBack(fleet, served);
    expect(await booksOf(fleet, pools)).toEqual(before);
  });
});
