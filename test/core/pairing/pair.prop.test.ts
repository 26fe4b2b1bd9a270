import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { pairPools } from '../../../core/pairing/pair.ts';
import { accountId } from '../../../core/units.ts';
import { consentOf, NOW, planOf, poolOf } from '../../support/fixtures.ts';

const accounts = Array.from({ length: 6 }, (_, index) => accountId(String(index + 1).repeat(12)));

describe('pairPools', () => {
  it('gives the same plans whatever the order of the pools', () => {
    const needs = fc.array(fc.array(fc.nat({ max: 14 }), { minLength: 3, maxLength: 3 }), {
      minLength: 6,
      maxLength: 6,
    });
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
    fc.assert(
      fc.property(needs, order, (needed, places) => {
        const pools = accounts.map((account) => poolOf(account));
        const input = {
          pools,
          forecasts: Object.fromEntries(
            pools.map(({ spec }, index) => [spec.poolId, planOf(spec.poolId, needed[index] ?? [])]),
          ),
          consents: Object.fromEntries(
            accounts.map((account) => [account, { consent: consentOf(account), usage: emptyUsage(account) }]),
          ),
          now: NOW,
          maxPartners: 3,
        };
        const shuffled = { ...input, pools: places.flatMap((place) => pools[place] ?? []) };
        expect(pairPools(shuffled)).toEqual(pairPools(input));
      }),
      { numRuns: 50 },
    );
  });
});
