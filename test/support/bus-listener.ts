import type { Fleet } from './deployment.ts';
import { clientOptions } from './deployment.ts';
import { listenFor } from './event-listener.ts';
import { HUB } from './lending-fleet.ts';

export interface BusEvent {
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** @returns what has come on the hub's bus from a source since, in no order */
export function listenToBus(fleet: Fleet, source: string): Promise<() => Promise<BusEvent[]>> {
  const busName = fleet.deployed.hub['EventBusName'];
  return listenFor(clientOptions(fleet.deployed, HUB), {
    name: 'listen-to-the-bus',
    pattern: { source: [source] },
    busName,
  });
}
