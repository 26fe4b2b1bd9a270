import { describe, expect, it } from '@jest/globals';
import { readCalendar } from '../../calendars/read-calendar.ts';

const window = { startMillis: Date.UTC(2026, 0, 1), endMillis: Date.UTC(2027, 0, 1) };
const ics = [
  'BEGIN:VCALENDAR',
  'BEGIN:VEVENT\nSUMMARY:B\nDTSTART;VALUE=DATE:20260501\nEND:VEVENT',
  'BEGIN:VEVENT\nSUMMARY:A\nDTSTART;VALUE=DATE:20260201\nEND:VEVENT',
  'END:VCALENDAR',
].join('\n');

describe('a calendar file', () => {
  it('is iCalendar by its content, whatever its name, and comes in order of time', () => {
    expect(readCalendar(ics, 'calendar.txt', window).map(({ name }) => name)).toEqual(['A', 'B']);
  });

  it('is lines of values otherwise', () => {
    const text = 'name,start,end\nB,2026-05-01,2026-05-01\nA,2026-02-01,2026-02-01\n';
    expect(readCalendar(text, 'calendar.csv', window)).toEqual(readCalendar(ics, 'calendar.ics', window));
  });

  it('is named in its errors, with the line', () => {
    const read = () => readCalendar('name,start,end\nA,soon,later\n', 'events.csv', window);
    expect(read).toThrow('events.csv: line 2: start "soon": expected ISO 8601');
    expect(read).toThrow(expect.objectContaining({ line: 2 }));
    expect(() => readCalendar('a,b', 'x.ics', window)).toThrow('x.ics: line 1: "a,b": expected NAME:VALUE');
    expect(() => readCalendar('\n', 'x.csv', window)).toThrow('x.csv: nothing in it');
    expect(() => readCalendar(ics, 'x.ics', window, 'Mars')).toThrow('time zone "Mars"');
  });
});
