import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { utcDate, utcDayOfWeek, utcMonth, utcSecondOfDay } from '../../core/calendar.ts';
import { capacityCost, epochMillis, microUsd } from '../../core/units.ts';

const moment = fc.integer({ min: -62_000_000_000_000, max: 250_000_000_000_000 });

describe('the calendar', () => {
  it('agrees with Date at any moment of the years 5 to 9892', () => {
    fc.assert(
      fc.property(moment, (millis) => {
        const at = epochMillis(millis);
        const date = new Date(millis);
        expect(utcDate(at)).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
        });
        expect(utcMonth(at)).toBe(date.toISOString().slice(0, 7));
        expect(utcDayOfWeek(at)).toBe(date.getUTCDay());
        expect(utcSecondOfDay(at)).toBe(date.getUTCHours() * 3_600 + date.getUTCMinutes() * 60 + date.getUTCSeconds());
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with Date on the first and last millisecond of each month around leap years', () => {
    for (const year of [1899, 1900, 1970, 1999, 2000, 2023, 2024, 2026, 2100, 2400]) {
      for (let month = 0; month < 12; month += 1) {
        const first = Date.UTC(year, month, 1);
        expect(utcMonth(epochMillis(first))).toBe(new Date(first).toISOString().slice(0, 7));
        expect(utcMonth(epochMillis(first - 1))).toBe(new Date(first - 1).toISOString().slice(0, 7));
      }
    }
  });
});

describe('capacityCost', () => {
  it('is within half a micro-dollar of the exact product, and half is rounded up', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 50_000_000 }),
        fc.nat({ max: 2_000 }),
        fc.nat({ max: 2_678_400_000 }),
        (price, units, millis) => {
          const exact = BigInt(price) * BigInt(units) * BigInt(millis);
          fc.pre(exact / 3_600_000n < BigInt(Number.MAX_SAFE_INTEGER));
          const twiceTheError = 2n * (BigInt(capacityCost(microUsd(price), units, millis)) * 3_600_000n - exact);
          expect(twiceTheError > -3_600_000n && twiceTheError <= 3_600_000n).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
