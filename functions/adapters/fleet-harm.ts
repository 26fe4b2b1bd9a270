import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { FleetHarm } from '../../core/lending/harm-looks.ts';
import { batchGet } from './account-store.ts';
import { documents } from './clients.ts';
import { wholeKey } from './keys.ts';

const FLEET_HARM_KEY = wholeKey('HARM');

/** What lending has cost all pools together, as the last look at all of them has found; undefined: there was none yet. */
export async function readFleetHarm(table: string): Promise<FleetHarm | undefined> {
  const [item] = await batchGet(table, [FLEET_HARM_KEY]);
  return item?.['harm'] as FleetHarm | undefined;
}

/** Replaces what lending has cost all pools together: it is summed up anew, so that a repeated look adds nothing. */
export async function writeFleetHarm(table: string, harm: FleetHarm): Promise<void> {
  await documents.send(new PutCommand({ TableName: table, Item: { ...FLEET_HARM_KEY, harm } }));
}
