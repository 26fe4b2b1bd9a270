import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { DescribeAutoScalingGroupsCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { CRITICALITY_TAG, SLA_TIER_TAG } from '../../core/allocation/priority.ts';
import type { CeilingMove } from '../../core/lending/loan.ts';
import type { GroupObservation, PoolSpec } from '../../core/pool.ts';
import { now } from './clock.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { linkedAccount } from './linked-account.ts';

/** The tag by which an owner lets the hub touch a group at all; the role in the linked account is limited to it. */
export const LENDING_TAG = { key: 'entangle:lending', value: 'enabled' } as const;

function observation(group: AutoScalingGroup): GroupObservation {
  const tagged = (key: string): string | undefined => group.Tags?.find((tag) => tag.Key === key)?.Value;
  const [slaTierTag, criticalityTag] = [tagged(SLA_TIER_TAG), tagged(CRITICALITY_TAG)];
  const states = (group.Instances ?? []).map((instance) => instance.LifecycleState ?? '');
  return {
    minSize: group.MinSize ?? 0,
    desiredCapacity: group.DesiredCapacity ?? 0,
    maxSize: group.MaxSize ?? 0,
    inServiceUnits: states.filter((state) => state === 'InService').length,
    occupiedUnits: states.filter((state) => state !== 'Terminated').length,
    lendingEnabled: (group.Tags ?? []).some((tag) => tag.Key === LENDING_TAG.key && tag.Value === LENDING_TAG.value),
    ...(slaTierTag === undefined ? {} : { slaTierTag }),
    ...(criticalityTag === undefined ? {} : { criticalityTag }),
    observedAt: now(),
  };
}

type Place = Pick<PoolSpec, 'accountId' | 'region' | 'groupName'>;

/** What the group is now; `undefined` when there is no group of that name. */
export async function observeGroup(place: Place, role: RoleInLinkedAccount): Promise<GroupObservation | undefined> {
  const { autoScaling } = await linkedAccount(place.accountId, place.region, role);
  const answer = await autoScaling.send(
    new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [place.groupName] }),
  );
  const group = answer.AutoScalingGroups?.[0];
  return group === undefined ? undefined : observation(group);
}

/**
 * Makes a decided move. The new sizes are absolute, so that making it twice is making it once.
 * @throws the error of `UpdateAutoScalingGroup`, by its AWS name
 */
export async function moveGroup(place: Place, move: CeilingMove, role: RoleInLinkedAccount): Promise<void> {
  const { autoScaling } = await linkedAccount(place.accountId, place.region, role);
  await autoScaling.send(
    new UpdateAutoScalingGroupCommand({
      AutoScalingGroupName: place.groupName,
      MaxSize: move.toMaxSize,
      ...(move.toMinSize === undefined ? {} : { MinSize: move.toMinSize }),
      ...(move.toDesiredCapacity === move.fromDesiredCapacity ? {} : { DesiredCapacity: move.toDesiredCapacity }),
    }),
  );
}
