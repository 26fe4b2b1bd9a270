import { describe, expect, it } from '@jest/globals';
import { lendingScenarios } from '../../../../core/pairing/matching/scenarios.ts';

const options = { weekSlots: 40, scenarios: 200 };
const calm = (id: string) => ({ id, ownedUnits: 6, reserveUnits: 1, needUnits: new Float64Array(80).fill(4) });
/** Needs 5 more in a tenth of its second week. */
const jumpy = { ...calm('jumpy'), needUnits: Float64Array.from({ length: 80 }, (_, slot) => (slot >= 76 ? 9 : 4)) };

const surprised = ({ deficit }: { readonly deficit: Float64Array }) => deficit.filter((units) => units > 0);

describe('lendingScenarios', () => {
  it('has what is left beside need and reserve to lend while nobody in the fleet was ever surprised', () => {
    const [curves] = lendingScenarios([calm('a'), calm('b')], options);
    expect(curves?.surplus).toEqual(new Float64Array(200).fill(1));
    expect(surprised(curves ?? { deficit: new Float64Array(0) })).toHaveLength(0);
  });

  it('surprises a calm pool as often, and by as many units, as the fleet was', () => {
    const [, quiet] = lendingScenarios([jumpy, calm('quiet')], options);
    // 4 surprises in the 160 hours of two pools and two weeks, met in both directions of time.
    expect([...surprised(quiet ?? { deficit: new Float64Array(0) })]).toEqual([5, 5, 5, 5, 5]);
    quiet?.deficit.forEach((units, scenario) => {
      expect(quiet.surplus[scenario]).toBe(units > 0 ? 0 : 1);
    });
  });

  it('draws the surprises of a pool from its id, whoever else is there', () => {
    const [, quiet] = lendingScenarios([jumpy, calm('quiet')], options);
    const [same] = lendingScenarios([calm('quiet'), jumpy], options);
    const [other] = lendingScenarios([calm('other'), jumpy], options);
    expect(same).toEqual(quiet);
    expect(other?.deficit).not.toEqual(quiet?.deficit);
  });

  it('plans with the history alone where it is shorter than two weeks', () => {
    const short = { ...jumpy, needUnits: jumpy.needUnits.slice(40) };
    const [curves] = lendingScenarios([short], options);
    expect(surprised(curves ?? { deficit: new Float64Array(0) })).toEqual(new Float64Array(20).fill(3));
  });

  it('refuses histories that do not go together', () => {
    expect(() => lendingScenarios([calm('a'), { ...calm('b'), needUnits: new Float64Array(3) }], options)).toThrow(
      'pool b: 3 slots of history, expected 80',
    );
    expect(() => lendingScenarios([{ ...calm('a'), needUnits: Float64Array.of(1, -1) }], options)).toThrow(
      'pool a: needUnits[1] is -1, expected 0 or more',
    );
    expect(() => lendingScenarios([], { ...options, scenarios: 0 })).toThrow(
      'scenarios is 0, expected a whole number from 1',
    );
  });
});
