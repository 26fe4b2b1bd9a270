import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** A log group under the hub's own key, kept for a year and past the stack's end. */
export function encryptedLogGroup(scope: Construct, id: string, encryptionKey: IKey): LogGroup {
  return new LogGroup(scope, id, {
    encryptionKey,
    retention: RetentionDays.ONE_YEAR,
    removalPolicy: RemovalPolicy.RETAIN,
  });
}
