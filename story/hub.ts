import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { HubApi } from '../cli/hub-api.ts';
import { hubApi } from '../cli/hub-api.ts';
import { hubClient } from '../cli/hub-client.ts';
import { HUB_ACCOUNT, REGION } from './accounts.ts';
import { pause } from './pause.ts';

const POLL_MILLIS = 500;
const PLAN_SECONDS_MAX = 180;

/** The hub's API as one account calls it, with the account's root keys. */
export function accountApi(apiUrl: string, accountId: string): HubApi {
  return hubApi(
    hubClient({ url: apiUrl, region: REGION, credentials: { accessKeyId: accountId, secretAccessKey: 'emulator' } }),
  );
}

/** What the plan's execution answers: how many pools it went through, and how many of them could not be collected or forecast. */
interface PlanOutput {
  readonly forecasts?: { readonly pools: number; readonly leftOut: number };
}

function poolsLeftOut(output: string | undefined): number {
  const { forecasts } = JSON.parse(output ?? '{}') as PlanOutput;
  return forecasts?.leftOut ?? 0;
}

/**
 * Collects, forecasts and pairs, by the hub's own state machine; ends when the execution has.
 * @throws Error when it fails, or leaves out a pool
 */
export async function runPlan(endpoint: string, stateMachineArn: string, signal: AbortSignal): Promise<void> {
  const client = new SFNClient({
    region: REGION,
    endpoint,
    credentials: { accessKeyId: HUB_ACCOUNT, secretAccessKey: 'emulator' },
  });
  const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input: '{}' }));
  const deadline = Date.now() + PLAN_SECONDS_MAX * 1_000;
  for (;;) {
    const { status, output, cause, error } = await client.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'SUCCEEDED') {
      const leftOut = poolsLeftOut(output);
      if (leftOut > 0) throw new Error(`planning left out ${leftOut} pools: the emulator's log has the errors`);
      return;
    }
    if (status !== 'RUNNING') throw new Error(`planning ended ${status}: ${error ?? ''} ${cause ?? ''}`.trim());
    if (Date.now() > deadline) throw new Error(`planning has not ended within ${PLAN_SECONDS_MAX} s`);
    await pause(POLL_MILLIS, signal);
  }
}
