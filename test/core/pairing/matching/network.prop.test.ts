import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { seedOf } from '../../../../core/forecast/random.ts';
import { marketOf } from '../../../../core/pairing/matching/market.ts';
import { Network } from '../../../../core/pairing/matching/network.ts';
import { somePools } from '../../../support/matching-fixtures.ts';

const weight = (lender: string, borrower: string) => 1 + (seedOf(`${lender} ${borrower}`) % 4) / 8;
const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.nat()), { maxLength: 40 });

function play(network: Network, moves: readonly (readonly [boolean, number, number])[]): void {
  const { count } = network.market;
  for (const [opens, first, second] of moves) {
    const [lender, borrower] = [first % count, second % count];
    if (opens && lender !== borrower && network.fits(lender, borrower)) network.open(lender, borrower);
    const links = network.links();
    const link = links[first % links.length];
    if (!opens && link !== undefined) network.close(link);
  }
}

function stateOf(network: Network) {
  const links = network.links().map(({ lender, borrower, flow }) => ({ lender, borrower, flow: [...flow] }));
  return { links, idle: [...network.idle], unmet: [...network.unmet], objective: network.objective };
}

describe('Network', () => {
  it('accounts for every unit, and knows its objective, however links open and close', () => {
    fc.assert(
      fc.property(somePools, steps, (pools, moves) => {
        fc.pre(pools.length > 1);
        const market = marketOf(pools, weight);
        const network = new Network(market, () => 0.5);
        play(network, moves);
        const idle = market.surplus.slice();
        const unmet = market.deficit.slice();
        let objective = 0;
        for (const { lender, borrower, flow, weight: counts } of network.links()) {
          objective -= 0.5;
          flow.forEach((units, slot) => {
            expect(units).toBeGreaterThanOrEqual(0);
            objective += counts * units;
            const [from, to] = [lender * market.slots + slot, borrower * market.slots + slot];
            idle[from] = (idle[from] ?? 0) - units;
            unmet[to] = (unmet[to] ?? 0) - units;
          });
        }
        expect([...network.idle]).toEqual([...idle]);
        expect([...network.unmet]).toEqual([...unmet]);
        expect(network.objective).toBeCloseTo(objective, 9);
      }),
    );
  });

  it('is as it was when changes are taken back', () => {
    fc.assert(
      fc.property(somePools, steps, steps, (pools, before, tried) => {
        fc.pre(pools.length > 1);
        const network = new Network(marketOf(pools, weight));
        play(network, before);
        const was = stateOf(network);
        network.begin();
        play(network, tried);
        network.undo();
        expect(stateOf(network)).toEqual(was);
      }),
    );
  });
});
