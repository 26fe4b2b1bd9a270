import { describe, expect, it } from '@jest/globals';
import { readIcs } from '../../calendars/ics.ts';

const window = { startMillis: Date.UTC(2026, 0, 1), endMillis: Date.UTC(2027, 0, 1) };

function calendarOf(...lines: string[]): string {
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

const eventOf = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:1', 'SUMMARY:Sale', ...lines, 'END:VEVENT'];

function spansOf(text: string, timeZone?: string): string[] {
  return readIcs(text, window, timeZone).map(({ startMillis, endMillis }) =>
    [startMillis, endMillis].map((at) => new Date(at).toISOString().slice(0, 16)).join(' '),
  );
}

describe('an iCalendar text', () => {
  it('tells a whole day, which is one of the zone that was given', () => {
    const text = calendarOf(...eventOf('DTSTART;VALUE=DATE:20261127'));
    expect(spansOf(text)).toEqual(['2026-11-27T00:00 2026-11-28T00:00']);
    expect(spansOf(text, 'America/New_York')).toEqual(['2026-11-27T05:00 2026-11-28T05:00']);
  });

  it('tells times in UTC, a duration, a folded name and the demand to expect', () => {
    const text = calendarOf(
      'BEGIN:VEVENT',
      'UID:1',
      'SUMMARY:Spring',
      '  sale',
      'DTSTART:20260310T080000Z',
      'DURATION:PT2H30M',
      'X-ENTANGLE-FACTOR:1.75',
      'END:VEVENT',
    );
    expect(readIcs(text, window)).toEqual([
      {
        name: 'Spring sale',
        startMillis: Date.UTC(2026, 2, 10, 8),
        endMillis: Date.UTC(2026, 2, 10, 10, 30),
        expectedFactor: 1.75,
      },
    ]);
  });

  it('keeps the time on the wall of an IANA zone over the change of the clocks, without a VTIMEZONE', () => {
    const text = calendarOf(
      ...eventOf(
        'DTSTART;TZID=Europe/Berlin:20260327T090000',
        'DTEND;TZID=Europe/Berlin:20260327T100000',
        'RRULE:FREQ=DAILY;COUNT=4',
        'EXDATE:20260328T080000Z',
      ),
    );
    // Summer time begins on 29 March. The excluded day is told in UTC.
    expect(spansOf(text)).toEqual([
      '2026-03-27T08:00 2026-03-27T09:00',
      '2026-03-29T07:00 2026-03-29T08:00',
      '2026-03-30T07:00 2026-03-30T08:00',
    ]);
  });

  it('takes a zone that only the file knows from its VTIMEZONE', () => {
    const text = calendarOf(
      'BEGIN:VTIMEZONE',
      'TZID:Head office',
      'BEGIN:STANDARD',
      'DTSTART:19700101T000000',
      'TZOFFSETFROM:+0530',
      'TZOFFSETTO:+0530',
      'END:STANDARD',
      'END:VTIMEZONE',
      ...eventOf('DTSTART;TZID=Head office:20260601T100000', 'DTEND;TZID=Head office:20260601T110000'),
    );
    expect(spansOf(text)).toEqual(['2026-06-01T04:30 2026-06-01T05:30']);
  });

  it('expands rules within the window alone, with added and moved occurrences', () => {
    const text = calendarOf(
      ...eventOf(
        'DTSTART:20201130T000000Z',
        'DTEND:20201201T000000Z',
        'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=-1MO',
        'RDATE:20260704T000000Z',
      ),
      ...eventOf('RECURRENCE-ID:20261130T000000Z', 'DTSTART:20261201T000000Z', 'DTEND:20261202T000000Z'),
    );
    expect(spansOf(text)).toEqual(['2026-07-04T00:00 2026-07-05T00:00', '2026-12-01T00:00 2026-12-02T00:00']);
  });

  it('keeps an occurrence that begins before the window and ends in it', () => {
    const text = calendarOf(...eventOf('DTSTART:20251231T120000Z', 'DTEND:20260101T120000Z'));
    expect(spansOf(text)).toEqual(['2025-12-31T12:00 2026-01-01T12:00']);
  });

  it('leaves out what was cancelled and keeps exceptions of other events apart', () => {
    const text = calendarOf(
      ...eventOf('DTSTART:20260101T000000Z', 'DTEND:20260101T060000Z', 'RRULE:FREQ=DAILY;COUNT=2'),
      ...eventOf(
        'RECURRENCE-ID:20260102T000000Z',
        'STATUS:CANCELLED',
        'DTSTART:20260102T000000Z',
        'DTEND:20260102T060000Z',
      ),
      'BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Other\r\nRECURRENCE-ID:20260101T000000Z',
      'DTSTART:20260501T000000Z\r\nDTEND:20260501T060000Z\r\nEND:VEVENT',
    );
    expect(spansOf(text)).toEqual(['2026-01-01T00:00 2026-01-01T06:00']);
  });
});

describe('an iCalendar text that cannot be used', () => {
  const sale = ['DTSTART:20260101T000000Z', 'DTEND:20260101T060000Z'];
  it.each([
    ['no calendar', 'VERSION:2.0', 'no BEGIN:VCALENDAR: expected an iCalendar text'],
    ['a broken line', calendarOf('NONSENSE'), 'line 4: "NONSENSE": expected NAME:VALUE'],
    ['no end', calendarOf('BEGIN:VEVENT'), 'line 5: END:VCALENDAR without its BEGIN:VCALENDAR'],
    ['no start', calendarOf(...eventOf('DTEND:20260101T000000Z')), 'line 4: an event without DTSTART'],
    [
      'no duration',
      calendarOf(...eventOf('DTSTART:20260101T000000Z')),
      'line 4: event "Sale" ends no later than it starts',
    ],
    [
      'an unknown zone',
      calendarOf(...eventOf('DTSTART;TZID=Mars:20260101T000000')),
      'line 4: time zone "Mars": expected',
    ],
    [
      'a factor that is no number',
      calendarOf(...eventOf(...sale), ...eventOf(...sale, 'X-ENTANGLE-FACTOR:twice')),
      'line 10: X-ENTANGLE-FACTOR "twice": expected a number',
    ],
    [
      'a factor out of range',
      calendarOf(...eventOf(...sale, 'X-ENTANGLE-FACTOR:11')),
      'line 4: event "Sale": factor 11',
    ],
    [
      'a rule for every second',
      calendarOf(...eventOf(...sale, 'RRULE:FREQ=SECONDLY')),
      'line 4: comes round more than 20000 times',
    ],
  ])('says where and what: %s', (_, text, message) => {
    expect(() => readIcs(text, window)).toThrow(message);
  });
});
