import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ForecastCoverage } from '../../core/forecast/coverage.ts';
import type { Forecast } from '../../core/forecast/forecast.ts';
import type { PoolId, ResourceType } from '../../core/units.ts';
import { poolIdParts } from '../../core/units.ts';

/** The newest forecasts of a pool in full, and how well earlier ones held: one object for each pool. */
export interface StoredForecasts {
  readonly forecasts: Readonly<Partial<Record<ResourceType, Forecast>>>;
  readonly coverage: Readonly<Partial<Record<ResourceType, ForecastCoverage>>>;
}

const s3 = new S3Client({});
const NOTHING: StoredForecasts = { forecasts: {}, coverage: {} };
const SIGNIFICANT_DIGITS = 6;

function objectKey(id: PoolId): string {
  const { accountId, region, groupName } = poolIdParts(id);
  return `forecasts/${accountId}/${region}/${encodeURIComponent(groupName)}.json`;
}

/** What was forecast last; empty when nothing was yet. */
export async function readForecasts(bucket: string, id: PoolId): Promise<StoredForecasts> {
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: objectKey(id) }));
    const text = await object.Body?.transformToString();
    return text === undefined ? NOTHING : (JSON.parse(text) as StoredForecasts);
  } catch (error) {
    if (error instanceof NoSuchKey) return NOTHING;
    throw error;
  }
}

/** A few digits of a value say all that a forecast knows. */
function shortened(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return Number(value.toPrecision(SIGNIFICANT_DIGITS));
}

export async function writeForecasts(bucket: string, id: PoolId, stored: StoredForecasts): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: objectKey(id),
      Body: JSON.stringify(stored, shortened),
      ContentType: 'application/json',
    }),
  );
}
