import type { ConsentWindow } from '../consent/consent.ts';

const SECONDS_PER_DAY = 86_400;
const SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY;

type Span = readonly [from: number, to: number];

/** The seconds of a week, from Sunday 00:00 UTC, that a window covers; one that goes past midnight goes on into the next day. */
function spansOf({ daysOfWeek, fromSecondOfDay, toSecondOfDay }: ConsentWindow): Span[] {
  const length =
    toSecondOfDay >= fromSecondOfDay
      ? toSecondOfDay - fromSecondOfDay
      : toSecondOfDay + SECONDS_PER_DAY - fromSecondOfDay;
  return daysOfWeek.flatMap((day): Span[] => {
    const from = day * SECONDS_PER_DAY + fromSecondOfDay;
    const to = from + length;
    // Saturday night goes on at the beginning of the week.
    return to > SECONDS_PER_WEEK
      ? [
          [from, SECONDS_PER_WEEK],
          [0, to - SECONDS_PER_WEEK],
        ]
      : [[from, to]];
  });
}

function spansOfAll(windows: readonly ConsentWindow[]): Span[] {
  return windows.length === 0 ? [[0, SECONDS_PER_WEEK]] : windows.flatMap(spansOf);
}

/** Whether there is a moment of the week that lies in a window of each; no windows means always. */
export function windowsOverlap(a: readonly ConsentWindow[], b: readonly ConsentWindow[]): boolean {
  const others = spansOfAll(b);
  return spansOfAll(a).some(([from, to]) =>
    others.some(([otherFrom, otherTo]) => Math.max(from, otherFrom) < Math.min(to, otherTo)),
  );
}

/** Windows for people: `days 1,2,3 08:00–18:00 UTC`. */
export function windowsText(windows: readonly ConsentWindow[]): string {
  const clock = (second: number) => {
    const minutes = Math.floor(second / 60);
    const two = (value: number) => String(value).padStart(2, '0');
    return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  };
  if (windows.length === 0) return 'always';
  return windows
    .map((each) => `days ${each.daysOfWeek.join(',')} ${clock(each.fromSecondOfDay)}–${clock(each.toSecondOfDay)} UTC`)
    .join('; ');
}
