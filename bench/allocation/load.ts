/** What needs the emulator: many alarms at once, and one command with many loans. */
import { Fleet } from '../../test/support/deployment.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { loadPools, standUpLoad } from './load-fleet.ts';
import { stopRows } from './stop-loans.ts';
import { stormRows } from './storm.ts';

/**
 * @param alarms at once, over a quarter as many pools; 0: none
 * @param loans that one command recalls; 0: none
 */
export async function loadRows(options: BenchOptions, alarms: number, loans: number): Promise<BenchRow[]> {
  if (process.env['AWS_ENDPOINT_URL']) {
    throw new Error('AWS_ENDPOINT_URL is set: unset it, only the embedded emulator keeps the log of calls');
  }
  if (alarms === 0 && loans === 0) return [];
  const pools = loadPools(alarms, loans);
  const standing = await standUpLoad(pools, options);
  try {
    const fleet = new Fleet(standing.deployed);
    const storm = alarms === 0 ? [] : await stormRows(fleet, pools, options);
    for (const { measure, value, unit } of storm) options.say(`${measure}: ${value} ${unit}`);
    return [...storm, ...(loans === 0 ? [] : await stopRows(fleet, pools.stopPairs, options))];
  } finally {
    await standing.stop();
  }
}
