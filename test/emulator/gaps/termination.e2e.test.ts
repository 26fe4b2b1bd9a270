import {
  type AutoScalingGroup,
  CompleteLifecycleActionCommand,
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
  DescribeAutoScalingGroupsCommand,
  PutLifecycleHookCommand,
  RecordLifecycleActionHeartbeatCommand,
  SetInstanceProtectionCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { type Clients, clientsOf, eventually, hubAccount } from './support.ts';

let emulator: Emulator;
let clients: Clients;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
  await clients.autoScaling.send(new CreateLaunchConfigurationCommand({ LaunchConfigurationName: 'plain' }));
});

afterAll(() => emulator?.stop());

async function groupOf(name: string): Promise<AutoScalingGroup> {
  const found = await clients.autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
  const group = found.AutoScalingGroups?.[0];
  if (group === undefined) throw new Error(`no group ${name}`);
  return group;
}

const idsOf = (group: AutoScalingGroup) => (group.Instances ?? []).flatMap(({ InstanceId }) => InstanceId ?? []);
const statesOf = (group: AutoScalingGroup) =>
  (group.Instances ?? []).map(({ LifecycleState = '' }) => LifecycleState).sort((a, b) => (a < b ? -1 : 1));

/** The group once its instances are in these states. */
function groupIn(name: string, ...states: string[]): Promise<AutoScalingGroup> {
  return eventually(async () => {
    const group = await groupOf(name);
    return statesOf(group).join() === states.join() ? group : undefined;
  }, `${name} is ${states.join()}`);
}

async function createGroup(name: string): Promise<string[]> {
  await clients.autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: name,
      LaunchConfigurationName: 'plain',
      AvailabilityZones: ['us-east-1a'],
      MinSize: 0,
      MaxSize: 2,
      DesiredCapacity: 2,
    }),
  );
  return idsOf(await groupIn(name, 'InService', 'InService'));
}

function protect(name: string, ids: string[], ProtectedFromScaleIn: boolean) {
  const instances = { AutoScalingGroupName: name, InstanceIds: ids, ProtectedFromScaleIn };
  return clients.autoScaling.send(new SetInstanceProtectionCommand(instances));
}

function shrink(name: string, MaxSize: number) {
  return clients.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: name, MaxSize }));
}

describe('scale-in protection of instances', () => {
  it('keeps them above the desired capacity, and lets the scale-in go on once it is taken off', async () => {
    const ids = await createGroup('protected');
    await protect('protected', ids, true);
    await shrink('protected', 1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(statesOf(await groupOf('protected'))).toEqual(['InService', 'InService']);
    const [first = ''] = ids;
    await protect('protected', [first], false);
    expect(idsOf(await groupIn('protected', 'InService'))).toEqual(ids.slice(1));
  });

  it('is refused for instances of another group, and for too many', async () => {
    await createGroup('mine');
    const strangers = await createGroup('other');
    await expect(protect('mine', strangers, true)).rejects.toMatchObject({ name: 'ValidationError' });
    await expect(
      protect(
        'mine',
        Array.from({ length: 51 }, () => 'i-0'),
        true,
      ),
    ).rejects.toMatchObject({ name: 'ValidationError' });
    await expect(protect('nobody', strangers, true)).rejects.toMatchObject({ name: 'ValidationError' });
  });
});

describe('a termination hook', () => {
  const hook = { LifecycleHookName: 'drain', AutoScalingGroupName: 'hooked' };
  it('keeps an instance until it is completed', async () => {
    await createGroup('hooked');
    await clients.autoScaling.send(
      new PutLifecycleHookCommand({
        ...hook,
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
        HeartbeatTimeout: 7_200,
      }),
    );
    await shrink('hooked', 1);
    const waiting = (await groupIn('hooked', 'InService', 'Terminating:Wait')).Instances?.find(
      (one) => one.LifecycleState === 'Terminating:Wait',
    );
    const InstanceId = waiting?.InstanceId;
    await clients.autoScaling.send(new RecordLifecycleActionHeartbeatCommand({ ...hook, InstanceId }));
    const complete = () =>
      clients.autoScaling.send(
        new CompleteLifecycleActionCommand({ ...hook, InstanceId, LifecycleActionResult: 'CONTINUE' }),
      );
    await complete();
    await groupIn('hooked', 'InService');
    await expect(complete()).rejects.toMatchObject({ name: 'ValidationError' });
  });

  it('refuses a heartbeat timeout that AWS does not take', async () => {
    const put = clients.autoScaling.send(
      new PutLifecycleHookCommand({
        ...hook,
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
        HeartbeatTimeout: 29,
      }),
    );
    await expect(put).rejects.toMatchObject({ name: 'ValidationError' });
  });
});
