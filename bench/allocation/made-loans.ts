/** Active loans in large numbers: written by the steps of a loan into the tables of the product, and the groups moved at the end. */
import { AutoScalingClient, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import type { Consent } from '../../core/consent/consent.ts';
import type { LoanSnapshot } from '../../core/lending/commit.ts';
import { request } from '../../core/lending/request.ts';
import { activate, recordGiven, recordTaken, reserve } from '../../core/lending/saga.ts';
import type { GroupObservation, Pool } from '../../core/pool.ts';
import type { LoanStore } from '../../core/ports.ts';
import type { LoanId } from '../../core/units.ts';
import { epochMillis } from '../../core/units.ts';
import { commitStep } from '../../functions/adapters/saga-step.ts';
import { tableName } from '../../infra/names.ts';
import type { Fleet } from '../../test/support/deployment.ts';
import { clientOptions } from '../../test/support/deployment.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import { HUB, idOf } from '../../test/support/lending-fleet.ts';
import type { StopPair } from './load-fleet.ts';
import { patiently } from './throttled.ts';

const SERIAL_DIGITS = 22;

/** The store of the functions, whose clients take everything from the environment when they are loaded. */
async function storeOf(fleet: Fleet): Promise<LoanStore> {
  const { endpoint, region, credentials } = clientOptions(fleet.deployed, HUB);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
  const { DynamoLoanStore } = await import('../../functions/adapters/loan-store.ts');
  return new DynamoLoanStore({
    accountsTable: tableName('accounts'),
    loansTable: tableName('loans'),
    ledgerTable: tableName('ledger'),
    auditTable: tableName('audit'),
  });
}

/** A group as the loans before have left it. */
function groupOf({ ownedUnits, lentUnits, borrowedUnits }: Pool, sizes: FleetPool['sizes']): GroupObservation {
  const desiredCapacity = sizes.desiredCapacity + borrowedUnits;
  return {
    minSize: sizes.minSize,
    desiredCapacity,
    maxSize: ownedUnits - lentUnits + borrowedUnits,
    inServiceUnits: desiredCapacity,
    occupiedUnits: desiredCapacity,
    lendingEnabled: true,
    observedAt: epochMillis(Date.now()),
  };
}

async function consentOf(fleet: Fleet, { account }: FleetPool): Promise<Consent> {
  return (await patiently(() => fleet.api<{ consent: Consent }>(account, 'GET', '/consent'))).consent;
}

interface Sides {
  readonly pair: StopPair;
  readonly borrowerConsent: Consent;
  readonly lenderConsent: Consent;
}

/** @returns the snapshot of the loan that has become active */
async function makeLoan(
  store: LoanStore,
  { pair, borrowerConsent, lenderConsent }: Sides,
  pools: { readonly borrower: Pool; readonly lender: Pool },
  serial: number,
): Promise<LoanSnapshot> {
  const at = () => epochMillis(Date.now());
  const borrowerGroup = groupOf(pools.borrower, pair.borrower.sizes);
  const loanId = `ln-fe${String(serial).padStart(SERIAL_DIGITS, '0')}` as LoanId;
  const wanted = {
    loanId,
    borrowerAccountId: pair.borrower.account,
    borrowerPoolId: idOf(pair.borrower),
    units: 1,
    bindingResource: 'cpu' as const,
    startedBy: `borrow-${loanId}-0`,
    inServiceBefore: borrowerGroup.inServiceUnits,
    reason: 'one of many loans at once',
  };
  const asked = request(wanted, at());
  const heads = await store.commit(asked, {});
  const offer = {
    units: 1,
    priceMicroUsdPerUnitHour: borrowerConsent.terms.borrow?.maxPriceMicroUsdPerUnitHour ?? 0,
    termSeconds: borrowerConsent.terms.longestTermSeconds,
    shortestTermSeconds: 1,
    borrowerConsent,
    borrowerGroup,
    lender: { pool: pools.lender, consent: lenderConsent, group: groupOf(pools.lender, pair.lender.sizes) },
    reasons: [],
  };
  let snapshot: LoanSnapshot = {
    loan: asked.loan,
    borrowerPool: pools.borrower,
    lenderPool: pools.lender,
    heads,
  };
  snapshot = await commitStep(store, snapshot, reserve(snapshot, offer as Parameters<typeof reserve>[1], at()));
  snapshot = await commitStep(store, snapshot, recordTaken(snapshot, at()));
  snapshot = await commitStep(store, snapshot, recordGiven(snapshot, at()));
  return commitStep(store, snapshot, activate(snapshot, at()));
}

async function moveGroups(fleet: Fleet, { lender, borrower, loans }: StopPair): Promise<void> {
  const resize = ({ account, groupName, sizes }: FleetPool, units: number, also: number) =>
    new AutoScalingClient(clientOptions(fleet.deployed, account)).send(
      new UpdateAutoScalingGroupCommand({
        AutoScalingGroupName: groupName,
        MaxSize: sizes.maxSize + units,
        DesiredCapacity: sizes.desiredCapacity + also,
      }),
    );
  await resize(lender, -loans, 0);
  await resize(borrower, loans, loans);
}

/**
 * Makes the loans of each pair, one unit each, active.
 * @param fromSerial number of the first; ids are taken from it
 * @returns their ids
 */
export async function makeActiveLoans(fleet: Fleet, pairs: readonly StopPair[], fromSerial: number): Promise<LoanId[]> {
  const store = await storeOf(fleet);
  let serial = fromSerial;
  const made: LoanId[] = [];
  await Promise.all(
    pairs.map(async (pair) => {
      const [borrowerConsent, lenderConsent] = await Promise.all([
        consentOf(fleet, pair.borrower),
        consentOf(fleet, pair.lender),
      ]);
      let pools = {
        borrower: await patiently(() => fleet.pool(idOf(pair.borrower))),
        lender: await patiently(() => fleet.pool(idOf(pair.lender))),
      };
      for (let count = 0; count < pair.loans; count += 1) {
        serial += 1;
        const snapshot = await makeLoan(store, { pair, borrowerConsent, lenderConsent }, pools, serial);
        pools = { borrower: snapshot.borrowerPool, lender: snapshot.lenderPool ?? pools.lender };
        made.push(snapshot.loan.loanId);
      }
      await moveGroups(fleet, pair);
    }),
  );
  return made;
}
