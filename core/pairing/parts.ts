import { seedOf } from '../forecast/random.ts';
import type { PoolId } from '../units.ts';
import { poolIdParts } from '../units.ts';

/** Pools that are planned for together at most: what one function has the time and the memory for, see docs/scale.md. */
export const PART_POOLS_MAX = 2_000;

/** Pools of one bucket that are planned for together. */
export interface BucketPart {
  /** The bucket, with the place of the part in it where there is more than one: `eu-west-1#m7g/01`. */
  readonly bucket: string;
  readonly poolIds: readonly PoolId[];
}

const HASH_BITS = 32;

/** An even spread of 32 bits: the last step of MurmurHash3, over a hash of the account's id. */
function placeOf(poolId: PoolId): number {
  let bits = seedOf(poolIdParts(poolId).accountId);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * Splits a bucket of too many pools, so that each part can be planned for by itself.
 *
 * A part that has too many is halved by the next bit of a hash of the account: pools that come or go move no other pool, unless a
 * part fills up or two are few enough for one, and then only theirs. The pools of an account stay together: they do not lend to each
 * other, and what is known of their account is read once. So the pools of one account alone are never split.
 * @param most pools in a part
 */
export function partsOf(bucket: string, poolIds: readonly PoolId[], most = PART_POOLS_MAX): BucketPart[] {
  const split = (ids: readonly PoolId[], path: string): BucketPart[] => {
    const accounts = new Set(ids.map((id) => poolIdParts(id).accountId));
    if (ids.length <= most || accounts.size === 1 || path.length === HASH_BITS) {
      return ids.length === 0 ? [] : [{ bucket: path === '' ? bucket : `${bucket}/${path}`, poolIds: ids }];
    }
    const isOne = (id: PoolId) => ((placeOf(id) >>> (HASH_BITS - 1 - path.length)) & 1) === 1;
    return [
      ...split(
        ids.filter((id) => !isOne(id)),
        `${path}0`,
      ),
      ...split(ids.filter(isOne), `${path}1`),
    ];
  };
  return split(
    [...poolIds].sort((a, b) => (a < b ? -1 : 1)),
    '',
  );
}

/** The bucket that a part is of. */
export function bucketOfPart(bucket: string): string {
  return bucket.split('/')[0] ?? bucket;
}
