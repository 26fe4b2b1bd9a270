import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../core/audit/chain.ts';
import { GENESIS, verifyChain } from '../../core/audit/chain.ts';
import { monthEvidence, monthSpanOf } from '../../core/trust/audit-month.ts';
import type { AccountId } from '../../core/units.ts';
import { accountId, epochMillis, invariant } from '../../core/units.ts';
import { sha256Hex } from '../../functions/adapters/ids.ts';
import { chainKey } from '../../functions/adapters/keys.ts';
import { tableName } from '../../infra/names.ts';
import { clientOptions, deployedFleet } from '../support/deployment.ts';
import { HUB } from '../support/lending-fleet.ts';

// The clients of the functions take everything from the environment, when they are loaded.
const { endpoint, region, credentials } = clientOptions(deployedFleet(), HUB);
Object.assign(process.env, {
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});
const { documents } = await import('../../functions/adapters/clients.ts');
const { readAccountItems } = await import('../../functions/adapters/account-store.ts');
const { auditOf } = await import('../../functions/adapters/governance-store.ts');
const { commitAuditedInAll } = await import('../../functions/adapters/transaction.ts');
const { auditLastMonth } = await import('../../functions/adapters/period-audit.ts');
const { evidenceOf, recordEvidence, writeEvidence } = await import('../../functions/adapters/trust-store.ts');

const tables = { accountsTable: tableName('accounts'), auditTable: tableName('audit') };
const runSeconds = Math.floor(Date.now() / 1_000) % 100_000_000;
let accounts = 0;
const at = (text: string) => epochMillis(Date.parse(text));
const [OCTOBER, NOVEMBER, DECEMBER] = [at('2026-10-20'), at('2026-11-20'), at('2026-12-20')];

function newAccount(): AccountId {
  accounts += 1;
  return accountId(`7${String(runSeconds).padStart(8, '0')}${String(accounts).padStart(3, '0')}`);
}

function eventOf(account: AccountId, type: string, when = OCTOBER): AuditEvent {
  return { accountId: account, type, at: when, subject: 'ln-1', actor: 'entangle', detail: {} };
}

async function append(...events: readonly AuditEvent[]): Promise<void> {
  for (const event of events) await commitAuditedInAll([], [event], {}, tables);
}

async function chainOf(account: AccountId) {
  const head = (await readAccountItems(tables.accountsTable, [chainKey(account)])).head(account) ?? GENESIS;
  return { head, records: await auditOf(tables.auditTable, account, 0) };
}

const kinds = async (account: AccountId) =>
  (await evidenceOf(tables.accountsTable, account, DECEMBER)).map(({ kind, subject }) => [kind, subject]);

describe('one change in the chains of two accounts', () => {
  it('appends to both or to none, however many do so at once', async () => {
    const [one, other] = [newAccount(), newAccount()];
    const changes = 12;
    await Promise.all(
      Array.from({ length: changes }, () =>
        commitAuditedInAll([], [eventOf(one, 'pairing.paused'), eventOf(other, 'pairing.paused')], {}, tables),
      ),
    );
    for (const account of [one, other]) {
      const { head, records } = await chainOf(account);
      expect(head.seq).toBe(changes);
      expect(verifyChain(records, head, sha256Hex)).toEqual([]);
    }
  });
});

describe('the audit of an account’s month', () => {
  it('keeps what the month showed, once, and goes on from there in the next', async () => {
    const account = newAccount();
    await append(eventOf(account, 'loan.reserved'), eventOf(account, 'consent.given', NOVEMBER));
    expect(await auditLastMonth(account, NOVEMBER, tables)).toBe(true);
    expect(await auditLastMonth(account, NOVEMBER, tables)).toBe(false);
    expect(await kinds(account)).toEqual([['audit-clean', '2026-10']]);
    await append(...Array.from({ length: 3 }, () => eventOf(account, 'access.denied', NOVEMBER)));
    expect(await auditLastMonth(account, DECEMBER, tables)).toBe(true);
    expect(await kinds(account)).toEqual([
      ['audit-clean', '2026-10'],
      ['audit-finding-minor', '2026-11'],
    ]);
    const { head, records } = await chainOf(account);
    expect(records.filter(({ type }) => type === 'trust.audited').map(({ detail }) => detail)).toEqual([
      { upToSeq: 1, verdict: 'audit-clean' },
      { upToSeq: 6, verdict: 'audit-finding-minor' },
    ]);
    expect(verifyChain(records, head, sha256Hex)).toEqual([]);
  });

  it('leaves what the operator has recorded, and writes no record where nothing happened', async () => {
    const [account, idle] = [newAccount(), newAccount()];
    const span = monthSpanOf('2026-10');
    invariant(span !== undefined, 'October is a month');
    const finding = monthEvidence('audit-finding-major', account, span, { recordedBy: HUB });
    expect(await recordEvidence(finding, HUB, OCTOBER, tables)).toEqual({ recorded: true });
    expect(await recordEvidence(finding, HUB, OCTOBER, tables)).toEqual({ recorded: false });
    await append(eventOf(account, 'loan.returned'));
    expect(await auditLastMonth(account, NOVEMBER, tables)).toBe(true);
    await writeEvidence(tables.accountsTable, [monthEvidence('audit-clean', account, span)]);
    expect(await kinds(account)).toEqual([['audit-finding-major', '2026-10']]);
    await auditLastMonth(idle, NOVEMBER, tables);
    expect((await chainOf(idle)).records).toEqual([]);
  });

  it('fails by name where a record is gone, and holds nothing against the account', async () => {
    const account = newAccount();
    await append(eventOf(account, 'loan.reserved'), eventOf(account, 'loan.taken'), eventOf(account, 'loan.returned'));
    await documents.send(
      new PutCommand({ TableName: tables.accountsTable, Item: { ...chainKey(account), seq: 4, hash: 'f'.repeat(64) } }),
    );
    await expect(auditLastMonth(account, NOVEMBER, tables)).rejects.toThrow(
      `audit chain of ${account}: record 4 missing`,
    );
    expect(await kinds(account)).toEqual([]);
    await documents.send(new DeleteCommand({ TableName: tables.accountsTable, Key: chainKey(account) }));
  });
});
