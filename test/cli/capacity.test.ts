import { describe, expect, it } from '@jest/globals';
import { capacity } from '../../cli/capacity.ts';
import type { HubApi } from '../../cli/hub-api.ts';
import type { PoolCapacity } from '../../core/lending/capacity.ts';
import { plusMillis, poolId } from '../../core/units.ts';
import { BORROWER, NOW, REGION } from '../support/fixtures.ts';

const CAPACITY: PoolCapacity = {
  poolId: poolId(BORROWER, REGION, 'web'),
  at: NOW,
  lendingUnits: 1,
  couldLendUnits: 3,
  couldLendReason: 'ceiling 9, desired 4',
  borrowingUnits: 0,
  couldBorrowUnits: 5,
  couldBorrowReason: '2 of 3 partners could lend to it now',
};

describe('entangle capacity', () => {
  it.each([
    ['outlook', 239_000, 'by its outlook, 4 min old'],
    ['plan', 5 * 3_600_000, 'by its plan, 5 h old'],
  ] as const)('shows that a pool could lend by its %s', async (by, millis, shown) => {
    const couldLendBy = { by, madeAt: plusMillis(NOW, -millis) };
    const hub: Partial<HubApi> = { capacities: () => Promise.resolve([{ ...CAPACITY, couldLendBy }]) };
    const { text, json } = await capacity(hub as HubApi, []);
    expect(text).toContain(`could lend 3, ${shown}  (ceiling 9`);
    expect(json).toMatchObject({ capacities: [{ couldLendBy }] });
  });

  it('shows both ways of each pool, or of the one that is named', async () => {
    const asked: (string | undefined)[] = [];
    const hub: Partial<HubApi> = {
      capacities: (pool) => {
        asked.push(pool);
        return Promise.resolve(pool === undefined ? [CAPACITY] : []);
      },
    };
    const { text, json } = await capacity(hub as HubApi, []);
    expect(json).toEqual({ capacities: [CAPACITY] });
    expect(text.split('\n')).toEqual([
      CAPACITY.poolId,
      '  lending 1, could lend 3  (ceiling 9, desired 4)',
      '  borrowing 0, could borrow 5  (2 of 3 partners could lend to it now)',
    ]);
    expect((await capacity(hub as HubApi, ['x'])).text).toBe('no pools');
    expect(asked).toEqual([undefined, 'x']);
    await expect(capacity(hub as HubApi, ['x', 'y'])).rejects.toThrow('expected: entangle capacity [POOL]');
  });
});
