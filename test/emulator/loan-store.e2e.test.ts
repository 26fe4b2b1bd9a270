import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { GENESIS, verifyChain } from '../../core/audit/chain.ts';
import type { Consent } from '../../core/consent/consent.ts';
import { request } from '../../core/lending/request.ts';
import { reserve } from '../../core/lending/saga.ts';
import type { Pool } from '../../core/pool.ts';
import { StaleSnapshot } from '../../core/ports.ts';
import { accountId, invariant, poolIdParts } from '../../core/units.ts';
import { pairingIdFor, sha256Hex } from '../../functions/adapters/ids.ts';
import { chainKey, consentKey, pairingStateKey, poolKey } from '../../functions/adapters/keys.ts';
import { tableName } from '../../infra/names.ts';
import { clientOptions, deployedFleet } from '../support/deployment.ts';
import { NOW } from '../support/fixtures.ts';
import { HUB } from '../support/lending-fleet.ts';
import type { StoreUnderTest } from '../support/loan-store-contract.ts';
import {
  filled,
  lenderPoolOf,
  loanStoreContract,
  offerOf,
  read,
  requested,
  UNITS,
  wanted,
} from '../support/loan-store-contract.ts';

// The clients of the functions take everything from the environment, when they are loaded.
const { endpoint, region, credentials } = clientOptions(deployedFleet(), HUB);
Object.assign(process.env, {
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  POWERTOOLS_METRICS_DISABLED: 'true',
});
const { documents } = await import('../../functions/adapters/clients.ts');
const { DynamoLoanStore } = await import('../../functions/adapters/loan-store.ts');
const { readAccountItems } = await import('../../functions/adapters/account-store.ts');
const { auditOf, ledgerOf } = await import('../../functions/adapters/governance-store.ts');

const tables = {
  accountsTable: tableName('accounts'),
  loansTable: tableName('loans'),
  ledgerTable: tableName('ledger'),
  auditTable: tableName('audit'),
};
const runSeconds = Math.floor(Date.now() / 1_000) % 100_000_000;
let accounts = 0;

/** The tables outlive a test, and a run on stacks that are left standing: each test has accounts that nobody else has. */
function newAccount() {
  accounts += 1;
  return accountId(`9${String(runSeconds).padStart(8, '0')}${String(accounts).padStart(3, '0')}`);
}

async function deployedStore(): Promise<StoreUnderTest> {
  const { accountsTable, ledgerTable, auditTable } = tables;
  const put = (item: object) => documents.send(new PutCommand({ TableName: accountsTable, Item: item }));
  return {
    store: new DynamoLoanStore(tables),
    parties: { borrower: newAccount(), lender: newAccount() },
    putPool: async (pool: Pool) => void (await put({ ...pool, ...poolKey(pool.spec.poolId) })),
    putConsent: async (consent: Consent) => void (await put({ ...consent, ...consentKey(consent.accountId) })),
    putPairing: async (lender, borrower, state) => {
      const key = pairingStateKey(poolIdParts(borrower).accountId, pairingIdFor(lender, borrower));
      await put({ ...key, state });
    },
    stop: async (account) => {
      const stop = { stopId: 'st-1', reason: 'a test', actor: 'test', at: NOW, recall: false };
      await put({ accountId: account, item: 'SWITCH', owner: stop });
    },
    poolOf: async (id) => {
      const pool = (await readAccountItems(accountsTable, [poolKey(id)])).pool(id);
      invariant(pool !== undefined, `${id} is in the table`);
      const { accountId: _key, ...stored } = pool as Pool & { accountId: string };
      return stored;
    },
    usageOf: async (account) =>
      (await readAccountItems(accountsTable, [{ accountId: account, item: 'USAGE' }])).usage(account),
    ledgerOf: (account) => ledgerOf(ledgerTable, account),
    chainOf: async (account) => ({
      records: await auditOf(auditTable, account, 0),
      head: (await readAccountItems(accountsTable, [chainKey(account)])).head(account) ?? GENESIS,
    }),
  };
}

loanStoreContract('DynamoDB', deployedStore);

const RIVALS = 40;
const LOANS = 60;
const ROUNDS_MAX = 10;

describe('many commits at the same time', () => {
  it(`of ${RIVALS} reservations from the same version of the pools exactly one is made`, async () => {
    const under = await filled(deployedStore);
    const rivals = [];
    for (let serial = 1; serial <= RIVALS; serial += 1) rivals.push(await requested(under, serial));
    const offer = offerOf(under, lenderPoolOf(under));
    const outcomes = await Promise.allSettled(
      rivals.map((snapshot) => under.store.commit(reserve(snapshot, offer, NOW), snapshot.heads)),
    );
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
    expect(refusals).toHaveLength(RIVALS - 1);
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(StaleSnapshot);
    expect(await under.poolOf(lenderPoolOf(under).spec.poolId)).toMatchObject({ lentUnits: UNITS, version: 2 });
    expect(await under.usageOf(under.parties.lender)).toMatchObject({ lentUnits: UNITS });
    expect(await under.ledgerOf(under.parties.lender)).toHaveLength(1);
    const states = await Promise.all(rivals.map(async (_, index) => (await read(under, index + 1)).loan.state));
    expect(states.filter((state) => state === 'reserved')).toHaveLength(1);
  });

  it(`${LOANS} commits of different loans of one account leave one whole chain with one record of each`, async () => {
    const under = await filled(deployedStore);
    const loans = Array.from({ length: LOANS }, (_, index) => wanted(under, index + 1));
    let left = loans;
    // A commit gives up when too many others come before it; its step is then tried again by the workflow.
    for (let round = 1; left.length > 0 && round <= ROUNDS_MAX; round += 1) {
      const outcomes = await Promise.allSettled(left.map((loan) => under.store.commit(request(loan, NOW), {})));
      const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
      for (const refusal of refusals) expect(refusal).toBeInstanceOf(StaleSnapshot);
      left = left.filter((_, index) => outcomes[index]?.status === 'rejected');
    }
    const { records, head } = await under.chainOf(under.parties.borrower);
    expect(verifyChain(records, head, sha256Hex)).toEqual([]);
    expect(head.seq).toBe(LOANS);
    expect(records.map(({ subject }) => subject).toSorted()).toEqual(loans.map(({ loanId }) => loanId).toSorted());
  });
});
