import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { eventBusArn } from '../names.ts';

/** The customer-managed key under which everything of the hub is kept. */
export class DataKey extends Construct {
  readonly key: IKey;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: 'Entangle: tables, history, queue, logs, workflows and events of the hub',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.#letLogGroupsUse();
    this.#letEventsReachTheQueue();
    this.#letTheEventBusUse();
  }

  /** A function's role may read and write items of tables under this key, through DynamoDB only. */
  grantUseThroughTables(grantee: IGrantable): void {
    const actions = ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'];
    this.#grantThrough(grantee, 'dynamodb', actions);
  }

  /** A function's role may read and write objects under this key, through S3 only. */
  grantUseThroughBuckets(grantee: IGrantable): void {
    this.#grantThrough(grantee, 's3', ['Decrypt', 'GenerateDataKey']);
  }

  /** A function's role may send to queues under this key, through SQS only. */
  grantUseThroughQueues(grantee: IGrantable): void {
    this.#grantThrough(grantee, 'sqs', ['Decrypt', 'GenerateDataKey']);
  }

  /** A function's role may start workflows whose data is under this key. */
  grantUseThroughWorkflows(grantee: IGrantable): void {
    this.#grantThrough(grantee, 'states', ['Decrypt', 'GenerateDataKey']);
  }

  /** A function's role may read the function's own variables. */
  grantReadVariables(grantee: IGrantable, functionArn: string): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt'],
        resources: [this.key.keyArn],
        conditions: { StringEquals: { 'kms:EncryptionContext:aws:lambda:FunctionArn': functionArn } },
      }),
    );
  }

  #grantThrough(grantee: IGrantable, service: string, actions: readonly string[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: actions.map((action) => `kms:${action}`),
        resources: [this.key.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': `${service}.${Stack.of(this).region}.amazonaws.com` } },
      }),
    );
  }

  #letLogGroupsUse(): void {
    const { account, partition, region } = Stack.of(this);
    this.#allowService(`logs.${region}.amazonaws.com`, ['Decrypt', 'Encrypt', 'GenerateDataKey', 'DescribeKey'], {
      ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:*` },
    });
  }

  #letEventsReachTheQueue(): void {
    const { account } = Stack.of(this);
    for (const service of ['events', 'scheduler']) {
      this.#allowService(`${service}.amazonaws.com`, ['Decrypt', 'GenerateDataKey'], {
        StringEquals: { 'aws:SourceAccount': account },
      });
    }
  }

  #letTheEventBusUse(): void {
    const { account, partition, region } = Stack.of(this);
    const busArn = eventBusArn(account, region, partition);
    this.#allowService('events.amazonaws.com', ['Decrypt', 'GenerateDataKey', 'DescribeKey'], {
      StringEquals: { 'kms:EncryptionContext:aws:events:event-bus:arn': busArn },
    });
  }

  #allowService(service: string, actions: readonly string[], conditions: Record<string, Record<string, string>>): void {
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(service)],
        actions: actions.map((action) => `kms:${action}`),
        resources: ['*'],
        conditions,
      }),
    );
  }
}
