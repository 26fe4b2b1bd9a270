import { writeFileSync } from 'node:fs';
import type { BenchOptions, BenchRow } from '../report.ts';
import type { CalibrationRun, Ownership } from './calibration.ts';
import { calibrationRun, dailyForecasts, OWNERSHIPS } from './calibration.ts';
import type { Traces } from './fleet.ts';
import type { ReliabilityPanel } from './reliability-picture.ts';
import { reliabilitySvg } from './reliability-picture.ts';
import { reliabilityRows } from './reliability-rows.ts';

/** How well the confidence of pairings says what comes of them, day by day. @param picture file for the reliability plot */
export async function confidenceRows(
  traces: Traces,
  options: BenchOptions,
  picture: string | undefined,
): Promise<BenchRow[]> {
  const forecasts = await dailyForecasts(traces, options);
  const runs = (Object.keys(OWNERSHIPS) as Ownership[]).map((ownership): [Ownership, CalibrationRun] => {
    const run = calibrationRun(traces, ownership, forecasts, options.seed);
    options.say(
      `${ownership}: ${run.planned.length} verdicts on pairings, ${run.drawn.length} on pairs drawn at random`,
    );
    return [ownership, run];
  });
  const panels = runs.flatMap(([ownership, { planned, drawn }]): ReliabilityPanel[] => [
    { title: `Pairings of plans, ${ownership}`, judged: planned },
    { title: `Pairs drawn at random, ${ownership}`, judged: drawn },
  ]);
  if (picture !== undefined) writeFileSync(picture, reliabilitySvg(panels));
  return [
    ...runs.flatMap(([ownership, { planned, drawn }]) => [
      ...reliabilityRows(`confidence of pairings of plans, ${ownership}`, planned),
      ...reliabilityRows(`confidence of pairs drawn at random, ${ownership}`, drawn),
    ]),
    ...reliabilityRows(
      'confidence of all these',
      panels.flatMap(({ judged }) => judged),
    ),
  ];
}
