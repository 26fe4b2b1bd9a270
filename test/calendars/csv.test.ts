import { describe, expect, it } from '@jest/globals';
import { readCsv } from '../../calendars/csv.ts';

const window = { startMillis: Date.UTC(2026, 0, 1), endMillis: Date.UTC(2027, 0, 1) };

describe('a calendar of lines', () => {
  it('tells days, moments and factors', () => {
    const text = [
      '\uFEFFname,start,end,factor',
      '"Sale, spring ""big""",2026-03-10,2026-03-11,2.5',
      '',
      'Launch,2026-05-01T08:00:00+02:00,2026-05-01T10:00Z,',
      'Fair,2026-06-01,',
      'Long ago,2020-01-01,2020-01-02,1',
    ].join('\r\n');
    expect(readCsv(text, window)).toEqual([
      {
        name: 'Sale, spring "big"',
        startMillis: Date.UTC(2026, 2, 10),
        endMillis: Date.UTC(2026, 2, 12),
        expectedFactor: 2.5,
      },
      { name: 'Launch', startMillis: Date.UTC(2026, 4, 1, 6), endMillis: Date.UTC(2026, 4, 1, 10) },
      { name: 'Fair', startMillis: Date.UTC(2026, 5, 1), endMillis: Date.UTC(2026, 5, 2) },
    ]);
  });

  it('takes days and times without an offset for those of the zone', () => {
    const text = 'name,start,end\nA,2026-07-01,2026-07-01\nB,2026-07-01T09:00,2026-07-01T10:00\n';
    expect(readCsv(text, window, 'Asia/Tokyo')).toEqual([
      { name: 'A', startMillis: Date.UTC(2026, 5, 30, 15), endMillis: Date.UTC(2026, 6, 1, 15) },
      { name: 'B', startMillis: Date.UTC(2026, 6, 1, 0), endMillis: Date.UTC(2026, 6, 1, 1) },
    ]);
  });

  it.each([
    ['', 'no lines: expected the header name,start,end[,factor]'],
    ['name,start\n', 'line 1: no column "end"'],
    ['name,start,end,size\n', 'line 1: column "size": expected the header'],
    ['name,start,end\nA,2026-02-30,2026-03-01\n', 'line 2: start "2026-02-30": expected ISO 8601'],
    ['name,start,end\nA,2026-02-03T25:00Z,2026-03-01\n', 'line 2: start "2026-02-03T25:00Z": expected ISO 8601'],
    ['name,start,end\nA,2026-02-03T05:00Z,\n', 'line 2: end "": expected ISO 8601'],
    ['name,start,end\n\nA,2026-02-03,2026-02-01\n', 'line 3: event "A" ends no later than it starts'],
    ['name,start,end\nA,2026-02-03\n', 'line 2: 2 values: expected 3'],
    ['name,start,end,factor\nA,2026-02-03,2026-02-03,x\n', 'line 2: event "A": factor NaN'],
    ['name,start,end\n,2026-02-03,2026-02-03\n', 'line 2: an event without a name'],
    ['name,start,end\nA "b",2026-02-03,2026-02-03\n', 'line 2: a quote out of place'],
  ])('says where and what is wrong: %j', (text, message) => {
    expect(() => readCsv(text, window)).toThrow(message);
  });
});
