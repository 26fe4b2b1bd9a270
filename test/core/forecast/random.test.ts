import { describe, expect, it } from '@jest/globals';
import { seededRandom, seedOf } from '../../../core/forecast/random.ts';

describe('seededRandom', () => {
  it('gives the numbers that mulberry32 is known for', () => {
    const random = seededRandom(1);
    expect(random()).toBeCloseTo(0.627_073_940_588_161_3, 15);
    expect(seededRandom(0)()).toBeCloseTo(0.266_429_208_684_712_65, 15);
  });

  it('gives the same numbers for the same seed, others for another', () => {
    const draw = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 10 }, () => random());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(2 ** 32 + 7)).toEqual(draw(7));
    expect(draw(-1)).toEqual(draw(2 ** 32 - 1));
    expect(new Set(draw(7)).size).toBe(10);
  });

  it('spreads evenly from 0 to before 1', () => {
    const random = seededRandom(3);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 20_000; draw += 1) {
      const tenth = Math.floor(10 * random());
      tenths[tenth] = (tenths[tenth] ?? Number.NaN) + 1;
    }
    // Four standard deviations of a count of which 2000 are expected.
    expect(tenths).toHaveLength(10);
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(170);
  });
});

describe('seedOf', () => {
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('is the FNV-1a hash of "%s"', (name, hash) => {
    expect(seedOf(name)).toBe(hash);
  });
});
