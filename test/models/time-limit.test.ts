import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import { withinSeconds } from '../../models/time-limit.ts';

describe('a limit on the wait for a model', () => {
  it('ends the wait for one that never answers, and says so', async () => {
    await expect(withinSeconds(0.01)('slow', new Promise(() => {}))).rejects.toThrow(
      'took longer than its limit of 0.01 s',
    );
  });

  it('passes an answer and a failure on', async () => {
    const withinTime = withinSeconds(60);
    await expect(withinTime('quick', Promise.resolve(7))).resolves.toBe(7);
    await expect(withinTime('broken', Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('takes an answer that came while the thread was busy beyond the limit', async () => {
    // Right after an immediate come the timers, and only then what other threads have said.
    await new Promise((resolve) => setImmediate(resolve));
    const { promise, resolve } = Promise.withResolvers<string>();
    const answered = withinSeconds(0.001)('busy', promise);
    const { port1, port2 } = new MessageChannel();
    port1.once('message', () => resolve('in time'));
    port2.postMessage('');
    const busyUntilMillis = Date.now() + 20;
    while (Date.now() < busyUntilMillis);
    await expect(answered).resolves.toBe('in time');
    port1.close();
  });
});
