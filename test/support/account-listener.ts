import type { CallerOptions } from './event-listener.ts';
import { listenFor } from './event-listener.ts';

/** @returns the events of EC2 of one kind that have come on the account's default bus since, in no order */
export function listenForEc2(options: CallerOptions, detailType: string): Promise<() => Promise<object[]>> {
  // The account may have been left standing by a run before.
  const name = `listen-to-ec2-${Date.now()}`;
  return listenFor(options, { name, pattern: { source: ['aws.ec2'], 'detail-type': [detailType] } });
}
