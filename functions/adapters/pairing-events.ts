import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { PairingEvent } from '../../core/pairing/pairing.ts';
import { logger } from './middleware.ts';

const eventBridge = new EventBridgeClient({});
const SOURCE = 'entangle';
/** EventBridge's limit for one PutEvents. */
const PUT_EVENTS_ENTRIES = 10;

/**
 * Puts events of pairings on the hub's bus, once what they tell of is written. An event that cannot be put is logged and not tried
 * again: the pairing and its audit record are what counts.
 */
export async function publishPairingEvents(busName: string, events: readonly PairingEvent[]): Promise<void> {
  for (let first = 0; first < events.length; first += PUT_EVENTS_ENTRIES) {
    const some = events.slice(first, first + PUT_EVENTS_ENTRIES);
    const entries = some.map(({ detailType, at, detail }) => ({
      EventBusName: busName,
      Source: SOURCE,
      DetailType: detailType,
      Time: new Date(at),
      Detail: JSON.stringify(detail),
      Resources: [],
    }));
    try {
      const answer = await eventBridge.send(new PutEventsCommand({ Entries: entries }));
      if ((answer.FailedEntryCount ?? 0) > 0) logger.error('events not put', { entries: answer.Entries ?? [] });
    } catch (error) {
      logger.error('events not put', error as Error);
    }
  }
}
