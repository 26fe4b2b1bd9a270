/** What a pool states of its alarms, and of what is watched besides them. */
import * as z from 'zod';
import { decimal, fields, oneOf, whole } from './config-fields.ts';

/** CloudWatch looks back over one day at most. */
export const EVALUATION_SECONDS_MAX = 86_400;

const periodError = '10, 20, 30 or a multiple of 60, at most 86400 seconds';
const periodSeconds = z
  .int({ error: periodError })
  .min(10, { error: periodError })
  .max(EVALUATION_SECONDS_MAX, { error: periodError })
  .refine((seconds) => [10, 20, 30].includes(seconds) || seconds % 60 === 0, { error: periodError });

/** In CloudWatch's words. */
const missingData = oneOf(['missing', 'ignore', 'breaching', 'notBreaching']);

export const resourceAlarm = fields({
  evaluationPeriods: whole(1, 100, 'periods').exactOptional(),
  datapointsToAlarm: whole(1, 100, 'periods').exactOptional(),
  missingData: missingData.exactOptional(),
}).describe("Settings of this type's alarms, in place of the pool's");

interface Evaluation {
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm?: number | undefined;
}

/** What CloudWatch would refuse of an alarm's settings: where, and what it expects. */
export function evaluationProblem({
  periodSeconds,
  evaluationPeriods,
  datapointsToAlarm = 1,
}: Evaluation): [string, string] | undefined {
  if (datapointsToAlarm > evaluationPeriods) {
    return ['datapointsToAlarm', `at most evaluationPeriods (${evaluationPeriods})`];
  }
  if (periodSeconds * evaluationPeriods <= EVALUATION_SECONDS_MAX) return undefined;
  const most = Math.floor(EVALUATION_SECONDS_MAX / periodSeconds);
  return ['evaluationPeriods', `at most ${most} periods of ${periodSeconds} seconds (one day)`];
}

export const alarm = fields({
  periodSeconds: periodSeconds.default(60),
  evaluationPeriods: whole(1, 100, 'periods').default(5).describe('Newest periods that are looked at'),
  datapointsToAlarm: whole(1, 100, 'periods')
    .optional()
    .describe('How many of them have to be beyond the threshold; left out: all'),
  missingData: missingData.default('notBreaching').describe('What a period without data counts as'),
  lowAlarm: z
    .boolean({ error: 'true or false' })
    .default(false)
    .describe(
      'Whether an alarm at recoveryPercent has it looked at once whether a loan may go back; left out: reconciling looks every reconcileEveryMinutes',
    ),
}).superRefine((value, context) => {
  const problem = evaluationProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', path: [problem[0]], message: problem[1] });
});

export const watch = fields({
  trend: fields({
    withinSeconds: whole(1, 86_400, 'seconds').default(300).describe('How long instances take to be in service'),
    samples: whole(5, 60, 'samples').default(12).describe('Newest alarm periods that the trend is estimated from'),
  })
    .exactOptional()
    .describe('Borrow when demand rises so that it will cross what the pool has within that time'),
  anomaly: fields({
    withinSeconds: whole(1, 86_400, 'seconds')
      .default(300)
      .describe('How long demand is taken to stay as much above what is usual'),
    samples: whole(1, 60, 'samples').default(3).describe('Newest alarm periods of which each has to be unusual'),
    score: decimal(0, 100, 'a number of standard deviations above 0, at most 100')
      .default(4)
      .describe(
        'Robust standard deviations above the same time of earlier days; a forecast says it by its 95 % interval',
      ),
  })
    .exactOptional()
    .describe('Borrow when demand is above what is usual at this time and would not fit if it stays so'),
}).describe('What of demand is watched besides the threshold, every lookAheadEveryMinutes; left out: nothing');
