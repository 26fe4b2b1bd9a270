import { describe, expect, it } from '@jest/globals';
import {
  alarmPeriodSeconds,
  clockSeconds,
  describeScale,
  samplesPerDay,
  speedUp,
  timeScale,
  traceDuration,
  traceTime,
} from '../../story/time-scale.ts';

describe('timeScale', () => {
  it('plays a sample a second unless told otherwise', () => {
    const scale = timeScale(300);
    expect(scale).toEqual({ traceStepSeconds: 300, stepSeconds: 1 });
    expect(speedUp(scale)).toBe(300);
    expect(clockSeconds(scale, 3_600)).toBe(12);
    expect(samplesPerDay(scale)).toBe(288);
    expect(describeScale(scale)).toEqual([
      '1 second here is 5 minutes of the trace; 1 hour of the trace takes 12 s.',
      'Prices are multiplied by 300 for the same reason: a bill then reads as in trace time.',
    ]);
  });

  it('takes the other resolutions of CloudWatch, and alarm periods that it knows', () => {
    const periods = [300, 60, 30].map((speed) => alarmPeriodSeconds(timeScale(300, speed)));
    expect(periods).toEqual([10, 60, 120]);
  });

  it('lists the speeds that are possible', () => {
    expect(() => timeScale(300, 100)).toThrow('--speed 100: expected one of 300, 60, 30');
  });
});

describe('traceTime', () => {
  const scale = timeScale(300);

  it.each([
    [0, 'day 1, 00:00'],
    [287, 'day 1, 23:55'],
    [288, 'day 2, 00:00'],
    [1_080.5, 'day 4, 18:02'],
  ])('of sample %d is %s', (sample, text) => {
    expect(traceTime(scale, sample)).toBe(text);
  });

  it('durations read as in the trace', () => {
    expect(traceDuration(scale, 36_000)).toBe('3 h 00 min');
    expect(traceDuration(scale, 3_000)).toBe('15 min');
  });
});
