import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { DemandHistory, StepSeries } from '../../core/telemetry/history.ts';
import type { PoolId, ResourceType } from '../../core/units.ts';
import { poolIdParts } from '../../core/units.ts';

/** A pool's demand by resource type, and its application's metrics by name: one object for each pool. */
export type PoolHistory = Readonly<Partial<Record<ResourceType, DemandHistory>>> & {
  readonly regressors?: Readonly<Record<string, StepSeries>>;
};

const s3 = new S3Client({});

function objectKey(id: PoolId): string {
  const { accountId, region, groupName } = poolIdParts(id);
  return `history/${accountId}/${region}/${encodeURIComponent(groupName)}.json`;
}

/** What is known of a pool's demand; empty when nothing was collected yet. */
export async function readHistory(bucket: string, id: PoolId): Promise<PoolHistory> {
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: objectKey(id) }));
    return JSON.parse((await object.Body?.transformToString()) ?? '{}') as PoolHistory;
  } catch (error) {
    if (error instanceof NoSuchKey) return {};
    throw error;
  }
}

export async function writeHistory(bucket: string, id: PoolId, history: PoolHistory): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: objectKey(id),
      Body: JSON.stringify(history),
      ContentType: 'application/json',
    }),
  );
}
