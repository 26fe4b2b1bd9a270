import { setTimeout as delay } from 'node:timers/promises';

/** Waits. @throws AbortError as soon as the signal is aborted */
export async function pause(millis: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, millis), undefined, { signal });
}
