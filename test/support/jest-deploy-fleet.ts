/** Deploys the stacks once for all test files of the project "lending", and ends the emulator after them. */
import type { StandingFleet } from './deploy-fleet.ts';
import { standUpFleet } from './deploy-fleet.ts';
import { DEPLOYED_FLEET_VARIABLE } from './deployment.ts';

let standing: StandingFleet | undefined;

export default async function deployFleet(): Promise<void> {
  // Stacks that a run before has left standing are used again.
  if (process.env[DEPLOYED_FLEET_VARIABLE] !== undefined) return;
  standing = await standUpFleet({ emulatorEnv: { SFN_WAIT_SCALE: '0.02' } });
  process.env[DEPLOYED_FLEET_VARIABLE] = JSON.stringify(standing.deployed);
}

export async function endFleet(): Promise<void> {
  await standing?.stop();
}
