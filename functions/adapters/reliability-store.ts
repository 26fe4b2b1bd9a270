/** What plans predicted of the pairings of a bucket, and how that came out: docs/pairing.md says what it is for. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { BucketReliability, Predictions } from '../../core/pairing/verdicts.ts';
import { NOTHING_JUDGED } from '../../core/pairing/verdicts.ts';
import { documents } from './clients.ts';
import { reliabilityKey } from './keys.ts';

const s3 = new S3Client({});

/** How the predictions of a bucket came out so far; nothing has been judged yet: the start of it. */
export async function readReliability(table: string, bucket: string): Promise<BucketReliability> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: table, Key: reliabilityKey(bucket), ConsistentRead: true }),
  );
  if (Item === undefined) return NOTHING_JUDGED;
  const { accountId: _bucket, item: _item, ...reliability } = Item;
  return reliability as unknown as BucketReliability;
}

/**
 * Keeps what became of a reliability that was read, on condition that nobody else has changed it meanwhile: a day that two runs
 * judge at once is counted once.
 * @returns whether it was written
 */
export async function writeReliability(table: string, bucket: string, after: BucketReliability): Promise<boolean> {
  const isFirst = after.version === 1;
  try {
    await documents.send(
      new PutCommand({
        TableName: table,
        Item: { ...after, ...reliabilityKey(bucket) },
        ConditionExpression: isFirst ? 'attribute_not_exists(accountId)' : '#version = :before',
        ...(isFirst
          ? {}
          : {
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':before': after.version - 1 },
            }),
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** One object a bucket: predictions take the place of those before them. */
function objectKey(bucket: string): string {
  return `predictions/${bucket.split('#').map(encodeURIComponent).join('/')}.json`;
}

/** The newest predictions of a bucket; undefined when there were none yet. */
export async function readPredictions(historyBucket: string, bucket: string): Promise<Predictions | undefined> {
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: historyBucket, Key: objectKey(bucket) }));
    const text = await object.Body?.transformToString();
    return text === undefined ? undefined : (JSON.parse(text) as Predictions);
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

export async function writePredictions(historyBucket: string, bucket: string, predictions: Predictions): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: historyBucket,
      Key: objectKey(bucket),
      Body: JSON.stringify(predictions),
      ContentType: 'application/json',
    }),
  );
}
