import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import jsonata from 'jsonata';
import { PART_POOLS_MAX } from '../../../core/pairing/parts.ts';
import { planLists, planObjects } from '../../../core/pairing/plan-lists.ts';
import type { PoolId } from '../../../core/units.ts';
import { accountId, poolId } from '../../../core/units.ts';

// Of Step Functions: what a state is given, and what it returns.
const BYTES_MAX = 262_144;
// A name of an execution has 80 characters at most.
const PLAN = 'p'.repeat(80);
const GROUP_NAME = 'g'.repeat(238);

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const idAt = (account: number, region = 'eu-west-1', group = 'web'): PoolId =>
  poolId(accountId(String(100_000_000_000 + account)), region, group);
const ids = (from: number, until: number, region?: string, group?: string): PoolId[] =>
  Array.from({ length: until - from }, (_, index) => idAt(from + index, region, group));

describe('planLists', () => {
  const byBucket = new Map([
    ['us-east-1#c7g', ids(10, 13, 'us-east-1')],
    ['eu-west-1#m7g', ids(0, 3)],
  ]);

  it('has all pools, in buckets by their names', () => {
    const { pools, parts } = planLists(byBucket);
    expect(parts.map(({ bucket }) => bucket)).toEqual(['eu-west-1#m7g', 'us-east-1#c7g']);
    expect(pools.map((pool) => pool.poolId)).toEqual([...ids(0, 3), ...ids(10, 13, 'us-east-1')]);
  });

  it('has the named pools alone, and the whole buckets that they are in', () => {
    const { pools, parts } = planLists(byBucket, [idAt(1), idAt(99)]);
    expect(pools).toEqual([{ poolId: idAt(1) }]);
    expect(parts).toEqual([{ bucket: 'eu-west-1#m7g', poolIds: ids(0, 3) }]);
  });
});

describe('planObjects', () => {
  it('has what the Maps read, and the pools of each part apart', () => {
    const lists = planLists(new Map([['eu-west-1#m7g', ids(0, 2)]]));
    const poolsKey = 'plans/a%20b/buckets/eu-west-1/m7g.json';
    expect(planObjects('a b', lists)).toEqual({
      objects: [
        { key: poolsKey, items: ids(0, 2) },
        { key: 'plans/a%20b/pools.json', items: ids(0, 2).map((id) => ({ poolId: id })) },
        { key: 'plans/a%20b/buckets.json', items: [{ bucket: 'eu-west-1#m7g', poolsKey }] },
      ],
      answer: {
        pools: { key: 'plans/a%20b/pools.json', count: 2 },
        buckets: { key: 'plans/a%20b/buckets.json', count: 1 },
      },
    });
  });

  it('answers in a few hundred bytes for 100,000 pools with the longest names, every item as short', () => {
    const all = ids(0, 100_000, 'ap-southeast-1', GROUP_NAME);
    const { objects, answer } = planObjects(PLAN, planLists(new Map([['ap-southeast-1#u7inh-32tb', all]])));
    expect(answer.pools.count).toBe(100_000);
    expect(answer.buckets.count).toBe(objects.length - 2);
    expect(answer.buckets.count).toBeGreaterThanOrEqual(100_000 / PART_POOLS_MAX);
    expect(bytes(answer)).toBeLessThan(400);
    const [pools, buckets] = objects.slice(-2);
    const longest = [...(pools?.items ?? []), ...(buckets?.items ?? [])].reduce<number>(
      (most, item) => Math.max(most, bytes(item)),
      0,
    );
    expect(longest).toBeLessThan(400);
    expect(objects.slice(0, -2).reduce((sum, { items }) => sum + items.length, 0)).toBe(100_000);
    // Why an item names the list of its pools and does not hold it.
    expect(Math.max(...objects.slice(0, -2).map(({ items }) => bytes(items)))).toBeGreaterThan(BYTES_MAX);
  });
});

describe("the plan's state machine", () => {
  interface State {
    readonly Output: Readonly<Record<string, string>>;
    readonly Cause: string;
  }
  const { States } = JSON.parse(
    readFileSync(new URL('../../../state-machines/plan.asl.json', import.meta.url), 'utf8'),
  ) as { States: Record<'ForEachBucket' | 'SomeNotPaired', State> };
  const evaluated = (text: string, states: object): Promise<unknown> =>
    jsonata(text.slice(2, -2)).evaluate({}, { states, forecasts: { pools: 100_000, leftOut: 0 } });
  const nameOf = (index: number) => `ap-southeast-1#u7inh-32tb/${String(index).padStart(6, '0')}`;
  const outcomeOf = async (result: readonly (number | string)[]): Promise<Record<string, unknown>> => {
    const fields = Object.entries(States.ForEachBucket.Output);
    const values = await Promise.all(fields.map(async ([name, text]) => [name, await evaluated(text, { result })]));
    return JSON.parse(JSON.stringify(Object.fromEntries(values))) as Record<string, unknown>;
  };

  it('sums the pairings of buckets and names those that were not paired', async () => {
    const none = await outcomeOf([3, 4]);
    expect(none).toEqual({ forecasts: { pools: 100_000, leftOut: 0 }, buckets: 2, pairings: 7, notPaired: [] });
    expect(await outcomeOf([nameOf(1), 4])).toMatchObject({ buckets: 2, pairings: 4, notPaired: [nameOf(1)] });
    expect(await outcomeOf([nameOf(1)])).toMatchObject({ buckets: 1, pairings: 0, notPaired: [nameOf(1)] });
  });

  it('hands on less than 256 KiB for 100,000 pools, and when none of 5,000 buckets could be paired', async () => {
    expect(bytes(Array.from({ length: 100_000 }, () => 1))).toBeLessThan(BYTES_MAX);
    const names = Array.from({ length: 5_000 }, (_, index) => nameOf(index));
    expect(bytes(names)).toBeLessThan(BYTES_MAX);
    expect(bytes(await outcomeOf(names))).toBeLessThan(BYTES_MAX);
  });

  it('names twenty of the buckets that could not be paired, and says how many more there are', async () => {
    const causeOf = (count: number) => {
      const notPaired = Array.from({ length: count }, (_, index) => nameOf(index));
      return evaluated(States.SomeNotPaired.Cause, { input: { notPaired } });
    };
    const text = 'could not be paired: their executions have the errors';
    expect(await causeOf(1)).toBe(`${nameOf(0)} ${text}`);
    expect(await causeOf(20)).not.toContain('more');
    expect(await causeOf(22)).toMatch(new RegExp(`^${nameOf(0)}, .*${nameOf(19)} and 2 more ${text}$`));
  });
});
