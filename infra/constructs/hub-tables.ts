import { RemovalPolicy } from 'aws-cdk-lib';
import type { Attribute } from 'aws-cdk-lib/aws-dynamodb';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { OUTBOX_PREFIX, QUEUE_PREFIX, RELIABILITY_PREFIX } from '../../functions/adapters/keys.ts';
import type { TableKind } from '../names.ts';
import { tableName } from '../names.ts';
import type { DataKey } from './data-key.ts';

interface HubTablesProps {
  readonly dataKey: DataKey;
  /** Refuse to delete the tables, whoever asks. */
  readonly deletionProtection: boolean;
}

const text = (name: string): Attribute => ({ name, type: AttributeType.STRING });
const number = (name: string): Attribute => ({ name, type: AttributeType.NUMBER });

const READ = ['GetItem', 'BatchGetItem', 'Query'];
const WRITE = ['PutItem', 'UpdateItem', 'ConditionCheckItem'];
/** Whatever could change or remove a record that was written once. */
const CHANGE_OR_REMOVE = ['UpdateItem', 'DeleteItem', 'BatchWriteItem', 'PartiQLUpdate', 'PartiQLDelete'];
const POOLS_BY_BUCKET = 'pools-by-bucket';
const LOAN_INDEXES = ['by-borrower', 'by-lender', 'open'];

/** The four tables. docs/data-model.md lists their keys and access patterns. */
export class HubTables extends Construct {
  readonly accounts: Table;
  readonly loans: Table;
  readonly ledger: Table;
  readonly audit: Table;
  readonly #props: HubTablesProps;

  constructor(scope: Construct, id: string, props: HubTablesProps) {
    super(scope, id);
    this.#props = props;
    this.accounts = this.#table('accounts', text('accountId'), text('item'));
    this.#addKeysIndex(this.accounts, POOLS_BY_BUCKET, text('bucket'), text('item'));
    this.loans = this.#table('loans', text('loanId'));
    this.#addKeysIndex(this.loans, 'by-borrower', text('borrowerAccountId'), number('requestedAt'));
    this.#addKeysIndex(this.loans, 'by-lender', text('lenderAccountId'), number('requestedAt'));
    this.#addKeysIndex(this.loans, 'open', text('openAccountId'), text('loanId'));
    this.ledger = this.#appendOnlyTable('ledger', text('accountId'), text('entryId'));
    this.audit = this.#appendOnlyTable('audit', text('accountId'), number('seq'));
  }

  /** Pools, plans, consents, usage and chain heads, by account. */
  grantReadAccounts(grantee: IGrantable): void {
    this.#grant(grantee, this.accounts, READ);
  }

  /** As above, and writes conditional on what was read. */
  grantChangeAccounts(grantee: IGrantable): void {
    this.#grant(grantee, this.accounts, [...READ, ...WRITE]);
  }

  /** Writes of plans and forecasts only, which replace what was there. */
  grantPutAccounts(grantee: IGrantable): void {
    this.#grant(grantee, this.accounts, ['PutItem']);
  }

  /** Removing events that were put on the bus from where they waited; nothing of an account's own partition can be removed. */
  grantClearOutbox(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['dynamodb:DeleteItem'],
        resources: [this.accounts.tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${OUTBOX_PREFIX}*`] } },
      }),
    );
  }

  /** Removing requests that wait no longer from the queues of lenders' pools; nothing of an account's own partition can be removed. */
  grantClearQueues(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['dynamodb:DeleteItem'],
        resources: [this.accounts.tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${QUEUE_PREFIX}*`] } },
      }),
    );
  }

  /** Writes of what a bucket's predictions came to; of nothing that belongs to an account. */
  grantPutReliability(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['dynamodb:PutItem'],
        resources: [this.accounts.tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${RELIABILITY_PREFIX}*`] } },
      }),
    );
  }

  /** The list of all enrolled pools. */
  grantListPools(grantee: IGrantable): void {
    this.#grant(grantee, this.accounts, ['Scan', 'Query'], [POOLS_BY_BUCKET]);
  }

  grantReadLoans(grantee: IGrantable): void {
    this.#grant(grantee, this.loans, READ);
  }

  grantChangeLoans(grantee: IGrantable): void {
    this.#grant(grantee, this.loans, [...READ, ...WRITE]);
  }

  /** Loans by borrower, by lender, and those that still have to end. */
  grantListLoans(grantee: IGrantable): void {
    this.#grant(grantee, this.loans, ['Query', 'Scan'], LOAN_INDEXES);
  }

  grantReadLedger(grantee: IGrantable): void {
    this.#grant(grantee, this.ledger, ['GetItem', 'Query']);
  }

  grantAppendLedger(grantee: IGrantable): void {
    this.#grant(grantee, this.ledger, ['PutItem']);
  }

  grantReadAudit(grantee: IGrantable): void {
    this.#grant(grantee, this.audit, ['GetItem', 'Query']);
  }

  grantAppendAudit(grantee: IGrantable): void {
    this.#grant(grantee, this.audit, ['PutItem']);
  }

  #grant(grantee: IGrantable, table: Table, operations: readonly string[], indexes?: readonly string[]): void {
    const statement = new PolicyStatement({
      actions: operations.map((operation) => `dynamodb:${operation}`),
      resources: indexes?.map((index) => `${table.tableArn}/index/${index}`) ?? [table.tableArn],
    });
    grantee.grantPrincipal.addToPrincipalPolicy(statement);
  }

  #table(kind: TableKind, partitionKey: Attribute, sortKey?: Attribute, resourcePolicy?: PolicyDocument): Table {
    return new Table(this, kind, {
      tableName: tableName(kind),
      partitionKey,
      ...(sortKey === undefined ? {} : { sortKey }),
      ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.#props.dataKey.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: this.#props.deletionProtection,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /** No role has these actions today; the table's own policy keeps a later grant from giving them. */
  #appendOnlyTable(kind: TableKind, partitionKey: Attribute, sortKey: Attribute): Table {
    const neverChanged = new PolicyStatement({
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: CHANGE_OR_REMOVE.map((operation) => `dynamodb:${operation}`),
      resources: ['*'],
    });
    return this.#table(kind, partitionKey, sortKey, new PolicyDocument({ statements: [neverChanged] }));
  }

  #addKeysIndex(table: Table, indexName: string, partitionKey: Attribute, sortKey: Attribute): void {
    table.addGlobalSecondaryIndex({ indexName, partitionKey, sortKey, projectionType: ProjectionType.KEYS_ONLY });
  }
}
