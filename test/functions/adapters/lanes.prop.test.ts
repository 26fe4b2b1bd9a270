import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inLanes } from '../../../functions/adapters/lanes.ts';

const MOST_AT_A_TIME = 8;
const item = fc.record({
  keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 2 }),
  turns: fc.nat(4),
});
const items = fc.array(item, { maxLength: 40 });

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

describe('inLanes', () => {
  it('runs each item once, a few at a time, and never two that share a key', async () => {
    await fc.assert(
      fc.asyncProperty(items, async (all) => {
        const running = new Set<(typeof all)[number]>();
        const done: unknown[] = [];
        await inLanes(
          all,
          async (one) => {
            for (const other of running) expect(other.keys.filter((key) => one.keys.includes(key))).toEqual([]);
            running.add(one);
            expect(running.size).toBeLessThanOrEqual(MOST_AT_A_TIME);
            await turns(one.turns);
            running.delete(one);
            done.push(one);
          },
          ({ keys }) => keys,
        );
        expect(new Set(done)).toEqual(new Set(all));
        expect(done).toHaveLength(all.length);
      }),
    );
  });

  it('begins nothing after a failure, and ends when what has begun has ended', async () => {
    await fc.assert(
      fc.asyncProperty(items, fc.nat(39), async (all, place) => {
        fc.pre(place < all.length);
        let [under, hasFailed, begunLater] = [0, false, 0];
        const run = async (one: (typeof all)[number]) => {
          if (hasFailed) begunLater += 1;
          under += 1;
          await turns(one.turns);
          under -= 1;
          if (one !== all[place]) return;
          hasFailed = true;
          throw new Error('refused');
        };
        await expect(inLanes(all, run, ({ keys }) => keys)).rejects.toThrow('refused');
        expect(under).toBe(0);
        expect(begunLater).toBe(0);
      }),
    );
  });

  it('keeps eight busy where nothing is shared', async () => {
    let [running, most] = [0, 0];
    await inLanes(
      Array.from({ length: 20 }, (_, n) => n),
      async () => {
        running += 1;
        most = Math.max(most, running);
        await turns(3);
        running -= 1;
      },
    );
    expect(most).toBe(MOST_AT_A_TIME);
  });
});
