import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { DataKey } from './data-key.ts';

/** Events and schedules that could not be handled; an alarm watches its depth. */
export function deadLetterQueue(scope: Construct, id: string, dataKey: DataKey): Queue {
  const queue = new Queue(scope, id, {
    encryption: QueueEncryption.KMS,
    encryptionMasterKey: dataKey.key,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
    removalPolicy: RemovalPolicy.RETAIN,
  });
  acknowledge(queue, 'SQS3', 'It is the dead-letter queue itself.');
  return queue;
}
