import { describe, expect, it } from '@jest/globals';
import { HOLIDAY_COUNTRIES, holidays } from '../../calendars/holidays.ts';
import { monthEnds } from '../../calendars/month-ends.ts';
import { momentOf } from '../../calendars/time-zone.ts';

const year = (of: number) => ({ startMillis: Date.UTC(of, 0, 1), endMillis: Date.UTC(of + 1, 0, 1) });
const startsOf = (events: readonly { startMillis: number }[]) =>
  events.map(({ startMillis }) => new Date(startMillis).toISOString().slice(0, 13));

describe('holidays', () => {
  it('are days of the zone that was given', () => {
    const found = holidays('us', year(2026), 'America/New_York');
    const thanksgiving = found.filter(({ name }) => name === 'Thanksgiving Day (US)');
    expect(startsOf(thanksgiving)).toEqual(['2026-11-26T05']);
    expect((thanksgiving[0]?.endMillis ?? 0) - (thanksgiving[0]?.startMillis ?? 0)).toBe(86_400_000);
    expect(startsOf(found.filter(({ name }) => name === 'Independence Day (US)'))).toEqual([
      '2026-07-03T04',
      '2026-07-04T04',
    ]);
  });

  it('follow Easter and the moon', () => {
    const startOf = (country: string, holiday: string, of: number) =>
      startsOf(holidays(country, year(of)).filter(({ name }) => name === `${holiday} (${country})`));
    expect(startOf('DE', 'Easter Monday', 2026)).toEqual(['2026-04-06T00']);
    expect(startOf('DE', 'Reformation Day', 2026)).toEqual([]);
    expect(startOf('TR', 'Eid al-Fitr', 2025)).toEqual(['2025-03-30T00', '2025-03-31T00', '2025-04-01T00']);
  });

  it('are known for every year of the table, and for the countries of AWS regions', () => {
    const regions = 'AE AU BH BR CA CH CN DE ES FR GB HK ID IE IL IN IT JP KR MX MY NZ SE SG TH TW US ZA'.split(' ');
    expect(HOLIDAY_COUNTRIES).toEqual(expect.arrayContaining(regions));
    for (const country of regions) {
      expect(holidays(country, year(2015)).length).toBeGreaterThan(2);
      expect(holidays(country, year(2035)).length).toBeGreaterThan(2);
    }
  });

  it('of an unknown country are an error that names the known ones', () => {
    expect(() => holidays('XX', year(2026))).toThrow(/holidays of "XX": expected one of AE, AR,/);
  });
});

describe('month ends', () => {
  it('are the last days of each month, in the zone', () => {
    const found = monthEnds({ startMillis: Date.UTC(2024, 0, 31, 12), endMillis: Date.UTC(2024, 3, 29) }, 'UTC', 2);
    expect(startsOf(found)).toEqual(['2024-01-30T00', '2024-02-28T00', '2024-03-30T00']);
    expect(startsOf(monthEnds(year(2026), 'Asia/Tokyo'))[0]).toBe('2026-01-30T15');
    expect(startsOf(monthEnds(year(2026), 'Asia/Tokyo'))).toHaveLength(12);
  });

  it('last from 1 to 28 days', () => {
    expect(() => monthEnds(year(2026), 'UTC', 0)).toThrow('0 days at a month');
  });
});

describe('a time on the wall', () => {
  const berlin = (month: number, day: number, hour: number) =>
    new Date(momentOf({ year: 2026, month, day, hour, minute: 30 }, 'Europe/Berlin')).toISOString().slice(5, 16);

  it('that the clocks skip is told by the offset before, and one that they show twice is the first', () => {
    expect(berlin(3, 29, 1)).toBe('03-29T00:30');
    expect(berlin(3, 29, 2)).toBe('03-29T01:30');
    expect(berlin(3, 29, 3)).toBe('03-29T01:30');
    expect(berlin(10, 25, 2)).toBe('10-25T00:30');
    expect(berlin(10, 25, 3)).toBe('10-25T02:30');
  });
});
