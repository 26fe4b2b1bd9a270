import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isLongerThan, jsonCopy } from './json-copy.ts';

/** What functions hand on: JSON, and what it does not hold. */
const values = fc.anything({
  withDate: true,
  values: [fc.jsonValue(), fc.constantFrom(undefined, Number.NaN, -0, '"\u0001')],
});

describe('a copy as JSON', () => {
  it('is what its text is parsed to', () => {
    fc.assert(
      fc.property(values, (value) => {
        const kept = value ?? null;
        expect(jsonCopy(kept)).toStrictEqual(JSON.parse(JSON.stringify(kept)));
      }),
    );
  });

  it('shares nothing with the value', () => {
    const value = { list: [{ at: 1 }] };
    const copy = jsonCopy(value) as typeof value;
    copy.list[0] = { at: 2 };
    expect(value).toEqual({ list: [{ at: 1 }] });
  });

  it('is longer than a limit when its text is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 100 }), (value, limit) => {
        expect(isLongerThan(value, limit)).toBe(JSON.stringify(value).length > limit);
      }),
    );
  });
});
