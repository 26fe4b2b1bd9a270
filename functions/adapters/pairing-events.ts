import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { LoanEvent } from '../../core/lending/loan-event.ts';
import type { PairingChange, PairingEvent } from '../../core/pairing/pairing.ts';
import type { AccountId, EpochMillis } from '../../core/units.ts';
import { epochMillis } from '../../core/units.ts';
import { documents } from './clients.ts';
import { outboxKey } from './keys.ts';
import { logger } from './middleware.ts';
import { queryAll } from './pages.ts';

const eventBridge = new EventBridgeClient({});
const SOURCE = 'entangle';
/** EventBridge's limit for one PutEvents. */
const PUT_EVENTS_ENTRIES = 10;

/** Where events wait, and where they go. */
export interface EventRoute {
  readonly accountsTable: string;
  readonly busName: string;
}

/** What is told on the hub's bus. */
type BusEvent = PairingEvent | LoanEvent;

/** An event and the account under which it waits. */
interface Waiting {
  readonly account: AccountId;
  readonly event: BusEvent;
}

/** An event as it waits to be told. It is written in the transaction of the change, so that no crash loses it. */
export function outboxItem(account: AccountId, event: BusEvent): Record<string, unknown> {
  return { ...outboxKey(account, event.at, event.detail.eventId), event };
}

async function forget(table: string, { account, event }: Waiting): Promise<void> {
  const Key = outboxKey(account, event.at, event.detail.eventId);
  await documents.send(new DeleteCommand({ TableName: table, Key }));
}

function entryOf(busName: string, { event: { detailType, at, detail } }: Waiting) {
  return {
    EventBusName: busName,
    Source: SOURCE,
    DetailType: detailType,
    Time: new Date(at),
    Detail: JSON.stringify(detail),
    Resources: [],
  };
}

/** Puts up to ten events; those that the bus took wait no longer. @returns how many it took */
async function putSome(some: readonly Waiting[], { accountsTable, busName }: EventRoute): Promise<number> {
  try {
    const answer = await eventBridge.send(
      new PutEventsCommand({ Entries: some.map((each) => entryOf(busName, each)) }),
    );
    const taken = some.filter((_each, index) => answer.Entries?.[index]?.ErrorCode === undefined);
    if (taken.length < some.length) logger.warn('events not put, to be tried again', { entries: answer.Entries ?? [] });
    await Promise.all(taken.map((each) => forget(accountsTable, each)));
    return taken.length;
  } catch (error) {
    logger.warn('events not put, to be tried again', error as Error);
    return 0;
  }
}

async function putAll(waiting: readonly Waiting[], route: EventRoute): Promise<number> {
  let taken = 0;
  for (let first = 0; first < waiting.length; first += PUT_EVENTS_ENTRIES) {
    taken += await putSome(waiting.slice(first, first + PUT_EVENTS_ENTRIES), route);
  }
  return taken;
}

/**
 * Tells on the hub's bus of changes that are written. What cannot be put now waits in the table, and `sweepEvents` puts it later; so
 * each event comes at least once, and now and then twice.
 */
export async function publishEvents(waiting: readonly Waiting[], route: EventRoute): Promise<void> {
  await putAll(waiting, route);
}

/** The same for changes of pairings. */
export async function publishPairingEvents(changes: readonly PairingChange[], route: EventRoute): Promise<void> {
  await putAll(
    changes.map(({ audit, event }) => ({ account: audit.accountId, event })),
    route,
  );
}

/**
 * Puts the events of an account that wait since before a moment: whoever wrote them is gone.
 * @returns how many the bus took
 */
export async function sweepEvents(account: AccountId, before: EpochMillis, route: EventRoute): Promise<number> {
  const { accountId: partition, item: since } = outboxKey(account, epochMillis(0));
  const found = await queryAll({
    TableName: route.accountsTable,
    KeyConditionExpression: 'accountId = :partition AND #item BETWEEN :since AND :before',
    ExpressionAttributeNames: { '#item': 'item' },
    ExpressionAttributeValues: { ':partition': partition, ':since': since, ':before': outboxKey(account, before).item },
    ConsistentRead: true,
  });
  const waiting = found.map(({ event }): Waiting => ({ account, event: event as BusEvent }));
  return putAll(waiting, route);
}
