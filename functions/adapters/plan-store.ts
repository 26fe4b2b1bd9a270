/** The lists that one plan goes through, as objects in S3: between two states there is room for 256 KiB, some 4,500 pool ids. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { PlanObjects } from '../../core/pairing/plan-lists.ts';
import type { PoolId } from '../../core/units.ts';
import { inLanes } from './lanes.ts';
import { parse } from './middleware.ts';
import { poolIdSchema } from './schemas.ts';

const s3 = new S3Client({});

/** Written again, objects take the place of those before. */
export async function writePlanObjects(historyBucket: string, objects: PlanObjects['objects']): Promise<void> {
  await inLanes(objects, async ({ key, items }) => {
    await s3.send(
      new PutObjectCommand({
        Bucket: historyBucket,
        Key: key,
        Body: JSON.stringify(items),
        ContentType: 'application/json',
      }),
    );
  });
}

/**
 * The pools of one part of a plan.
 * @param poolsKey as the item of the part has it
 * @throws InvalidInput when the object is not a list of pool ids; S3's error when there is none
 */
export async function readPartPools(historyBucket: string, poolsKey: string): Promise<PoolId[]> {
  const object = await s3.send(new GetObjectCommand({ Bucket: historyBucket, Key: poolsKey }));
  const text = (await object.Body?.transformToString()) ?? 'null';
  return parse(z.array(poolIdSchema), JSON.parse(text), poolsKey);
}
