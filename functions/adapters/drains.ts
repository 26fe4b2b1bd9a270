import type { AutoScalingClient, AutoScalingGroup, Instance } from '@aws-sdk/client-auto-scaling';
import {
  CompleteLifecycleActionCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeLifecycleHooksCommand,
  SetInstanceProtectionCommand,
} from '@aws-sdk/client-auto-scaling';
import type { PoolSpec } from '../../core/pool.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { linkedAccount } from './linked-account.ts';
import { logger } from './middleware.ts';

/** Auto Scaling's limit for one SetInstanceProtection. */
const PROTECTION_INSTANCES = 50;
const LEAVING = 'Terminating';

/** How far instances were made to go. */
export interface Forced {
  readonly unprotected: number;
  readonly hooksEnded: number;
}

function idsOf(instances: readonly Instance[]): string[] {
  return instances.flatMap(({ InstanceId }) => InstanceId ?? []).sort();
}

/** As many protected instances as stand in the way of the desired capacity, and no more. */
function inTheWay(group: AutoScalingGroup): string[] {
  const staying = (group.Instances ?? []).filter((instance) => !(instance.LifecycleState ?? '').startsWith(LEAVING));
  const surplus = staying.length - (group.DesiredCapacity ?? staying.length);
  const isProtected = staying.filter((instance) => instance.ProtectedFromScaleIn === true);
  return idsOf(isProtected).slice(0, Math.max(0, surplus));
}

async function unprotect(client: AutoScalingClient, groupName: string, ids: readonly string[]): Promise<number> {
  for (let first = 0; first < ids.length; first += PROTECTION_INSTANCES) {
    await client.send(
      new SetInstanceProtectionCommand({
        AutoScalingGroupName: groupName,
        InstanceIds: ids.slice(first, first + PROTECTION_INSTANCES),
        ProtectedFromScaleIn: false,
      }),
    );
  }
  return ids.length;
}

/** An instance waits in one hook at a time; that it is not in this one, or no longer, is no failure. */
async function endHook(client: AutoScalingClient, groupName: string, hook: string, instance: string): Promise<boolean> {
  try {
    await client.send(
      new CompleteLifecycleActionCommand({
        AutoScalingGroupName: groupName,
        LifecycleHookName: hook,
        InstanceId: instance,
        LifecycleActionResult: 'CONTINUE',
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ValidationError') throw error;
    return false;
  }
}

async function endHooks(client: AutoScalingClient, groupName: string, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const answer = await client.send(new DescribeLifecycleHooksCommand({ AutoScalingGroupName: groupName }));
  const hooks = (answer.LifecycleHooks ?? [])
    .filter(({ LifecycleTransition }) => LifecycleTransition === 'autoscaling:EC2_INSTANCE_TERMINATING')
    .flatMap(({ LifecycleHookName }) => LifecycleHookName ?? []);
  let ended = 0;
  for (const instance of ids) {
    for (const hook of hooks) if (await endHook(client, groupName, hook, instance)) ended += 1;
  }
  return ended;
}

/**
 * Overrides what keeps instances above the desired capacity: takes scale-in protection off as many as are too many, and ends the
 * termination hooks in which instances wait. Auto Scaling then terminates them itself. Can be repeated: it acts on what it finds.
 * @throws the error of the Auto Scaling call, by its AWS name
 */
export async function forceScaleIn(
  place: Pick<PoolSpec, 'accountId' | 'region' | 'groupName'>,
  role: RoleInLinkedAccount,
): Promise<Forced> {
  const { accountId, region, groupName } = place;
  const { autoScaling } = await linkedAccount(accountId, region, role);
  const answer = await autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [groupName] }));
  const group = answer.AutoScalingGroups?.[0];
  if (group === undefined) return { unprotected: 0, hooksEnded: 0 };
  const waiting = (group.Instances ?? []).filter(({ LifecycleState }) => LifecycleState === 'Terminating:Wait');
  const forced = {
    unprotected: await unprotect(autoScaling, groupName, inTheWay(group)),
    hooksEnded: await endHooks(autoScaling, groupName, idsOf(waiting)),
  };
  logger.info('the notice is over: instances have to go', { groupName, ...forced });
  return forced;
}
