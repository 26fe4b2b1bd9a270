import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { DataKey } from './data-key.ts';

interface HistoryBucketProps {
  readonly bucketName: string;
  readonly dataKey: DataKey;
}

/** Longer than a plan takes, and long enough to look at one that failed. */
const PLAN_LISTS_KEPT = Duration.days(7);

/** Demand history and forecasts of every pool: `history/` and `forecasts/<account>/<region>/<group>.json`; what plans predicted: `predictions/<region>/<family>.json`; what plans go through: `plans/<execution>/`. */
export class HistoryBucket extends Construct {
  readonly bucket: Bucket;
  readonly #props: HistoryBucketProps;

  constructor(scope: Construct, id: string, props: HistoryBucketProps) {
    super(scope, id);
    this.#props = props;
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: props.bucketName,
      encryption: BucketEncryption.KMS,
      encryptionKey: props.dataKey.key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      // A plan is done with its lists when it ends. The versions that S3 keeps go a day after the objects.
      lifecycleRules: [
        { prefix: 'plans/', expiration: PLAN_LISTS_KEPT, noncurrentVersionExpiration: Duration.days(1) },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(
      this.bucket,
      'S1',
      'S3 cannot deliver access logs to a bucket under a customer-managed key; seven roles reach this one, and what it holds can be read from CloudWatch again.',
    );
  }

  grantReadHistory(grantee: IGrantable): void {
    this.#grant(grantee, 'history', ['s3:GetObject']);
  }

  grantChangeHistory(grantee: IGrantable): void {
    this.#grant(grantee, 'history', ['s3:GetObject', 's3:PutObject']);
  }

  grantReadForecasts(grantee: IGrantable): void {
    this.#grant(grantee, 'forecasts', ['s3:GetObject']);
  }

  grantChangeForecasts(grantee: IGrantable): void {
    this.#grant(grantee, 'forecasts', ['s3:GetObject', 's3:PutObject']);
  }

  grantReadPredictions(grantee: IGrantable): void {
    this.#grant(grantee, 'predictions', ['s3:GetObject']);
  }

  grantPutPredictions(grantee: IGrantable): void {
    this.#grant(grantee, 'predictions', ['s3:PutObject']);
  }

  grantReadPlanLists(grantee: IGrantable): void {
    this.#grant(grantee, 'plans', ['s3:GetObject']);
  }

  grantPutPlanLists(grantee: IGrantable): void {
    this.#grant(grantee, 'plans', ['s3:PutObject']);
  }

  #grant(grantee: IGrantable, prefix: 'history' | 'forecasts' | 'predictions' | 'plans', actions: string[]): void {
    const { bucketName, dataKey } = this.#props;
    const objects = `arn:${Stack.of(this).partition}:s3:::${bucketName}/${prefix}/*`;
    grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [objects] }));
    acknowledge(Stack.of(this), `IAM5[Resource::${objects}]`, 'One object a pool, bucket or list, under one prefix.');
    // Without it, S3 answers AccessDenied instead of NoSuchKey for a pool that has no history yet. A plan's lists are there.
    if (prefix !== 'plans' && actions.includes('s3:GetObject')) {
      const list = { actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] };
      grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement(list));
    }
    dataKey.grantUseThroughBuckets(grantee);
  }
}
