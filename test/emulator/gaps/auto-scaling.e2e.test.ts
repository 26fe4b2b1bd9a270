import {
  type AutoScalingGroup,
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
  DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeScalingActivitiesCommand,
  SetDesiredCapacityCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import {
  type Clients,
  clientsOf,
  createMachine,
  createRole,
  deploy,
  eventually,
  everything,
  hubAccount,
} from './support.ts';

let emulator: Emulator;
let clients: Clients;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
  await clients.autoScaling.send(new CreateLaunchConfigurationCommand({ LaunchConfigurationName: 'plain' }));
});

afterAll(() => emulator?.stop());

async function createGroup(name: string, sizes: { MinSize: number; MaxSize: number; DesiredCapacity?: number }) {
  await clients.autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: name,
      LaunchConfigurationName: 'plain',
      AvailabilityZones: ['us-east-1a', 'us-east-1b'],
      ...sizes,
    }),
  );
}

async function groupOf(name: string): Promise<AutoScalingGroup> {
  const found = await clients.autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
  const group = found.AutoScalingGroups?.[0];
  if (group === undefined) throw new Error(`no group ${name}`);
  return group;
}

const statesOf = (group: AutoScalingGroup) => (group.Instances ?? []).map((one) => one.LifecycleState);

async function activitiesOf(name: string) {
  const found = await clients.autoScaling.send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName: name }));
  return found.Activities ?? [];
}

describe('sizes AWS refuses', () => {
  const update = (name: string, sizes: object) =>
    clients.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: name, ...sizes }));

  beforeAll(() => createGroup('sizes', { MinSize: 1, MaxSize: 4, DesiredCapacity: 2 }));

  it.each([
    ['a minimum above the maximum', { MinSize: 5 }, 'Max bound, 4, must be greater than or equal to min bound, 5'],
    ['a desired capacity above', { DesiredCapacity: 5 }, 'must be between the specified min size:1 and max size:4'],
    ['a desired capacity below', { DesiredCapacity: 0 }, 'must be between the specified min size:1 and max size:4'],
    ['a negative maximum', { MaxSize: -1 }, 'Member must have value greater than or equal to 0'],
    ['a negative desired capacity', { DesiredCapacity: -1 }, 'Member must have value greater than or equal to 0'],
  ])('refuses %s and changes nothing', async (_, sizes, message) => {
    await expect(update('sizes', sizes)).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining(message),
    });
    expect(await groupOf('sizes')).toMatchObject({ MinSize: 1, MaxSize: 4, DesiredCapacity: 2 });
  });

  it('refuses to create a group whose minimum is above its maximum', async () => {
    await expect(createGroup('never', { MinSize: 2, MaxSize: 1 })).rejects.toMatchObject({ name: 'ValidationError' });
  });

  it('refuses SetDesiredCapacity outside the limits', async () => {
    const set = (DesiredCapacity: number) =>
      clients.autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'sizes', DesiredCapacity }));
    await expect(set(9)).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'New SetDesiredCapacity value 9 is above max value 4 for the AutoScalingGroup.',
    });
    await expect(set(0)).rejects.toMatchObject({ message: expect.stringContaining('is below min value 1') });
  });

  it('does not know a group that is not there', async () => {
    await expect(update('absent', { MaxSize: 1 })).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'AutoScalingGroup name not found - null',
    });
    const found = await clients.autoScaling.send(
      new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: ['absent'] }),
    );
    expect(found.AutoScalingGroups).toEqual([]);
  });
});

describe('sizes AWS adjusts', () => {
  it('a maximum below the present size takes the desired capacity down with it', async () => {
    await createGroup('lowered', { MinSize: 0, MaxSize: 5, DesiredCapacity: 4 });
    await clients.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: 'lowered', MaxSize: 2 }));
    const group = await groupOf('lowered');
    expect(group).toMatchObject({ MaxSize: 2, DesiredCapacity: 2 });
    expect(statesOf(group)).toEqual(['InService', 'InService']);
  });

  it('a minimum above the present size takes the desired capacity up with it', async () => {
    await createGroup('raised', { MinSize: 0, MaxSize: 5, DesiredCapacity: 1 });
    await clients.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: 'raised', MinSize: 3 }));
    expect(await groupOf('raised')).toMatchObject({ MinSize: 3, DesiredCapacity: 3 });
  });
});

describe('instances', () => {
  it('are Pending until they have started and Terminating until they have stopped', async () => {
    await createGroup('slow', { MinSize: 0, MaxSize: 5, DesiredCapacity: 0 });
    await emulator.control.setInstances({ groupName: 'slow', startSeconds: 2, stopSeconds: 2 });
    const set = (DesiredCapacity: number) =>
      clients.autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'slow', DesiredCapacity }));
    await set(1);
    expect(statesOf(await groupOf('slow'))).toEqual(['Pending']);
    await eventually(async () => (statesOf(await groupOf('slow'))[0] === 'InService' ? true : undefined), 'InService');
    await set(0);
    expect(statesOf(await groupOf('slow'))).toEqual(['Terminating']);
    await eventually(async () => (statesOf(await groupOf('slow')).length === 0 ? true : undefined), 'terminated');
  });

  it('leave a failed activity and no instance when AWS has no capacity, until the group tries again', async () => {
    await createGroup('scarce', { MinSize: 0, MaxSize: 5, DesiredCapacity: 0 });
    await emulator.control.setInstances({ groupName: 'scarce', failLaunches: 1_000 });
    await clients.autoScaling.send(
      new SetDesiredCapacityCommand({ AutoScalingGroupName: 'scarce', DesiredCapacity: 1 }),
    );
    expect(statesOf(await groupOf('scarce'))).toEqual([]);
    const [failed] = await activitiesOf('scarce');
    expect(failed).toMatchObject({
      StatusCode: 'Failed',
      Description: 'Launching a new EC2 instance',
      StatusMessage: expect.stringContaining('do not have sufficient capacity'),
    });
    expect(failed?.Details).toContain('InsufficientInstanceCapacity');
    await emulator.control.setInstances({ groupName: 'scarce' });
    await eventually(
      async () => (statesOf(await groupOf('scarce'))[0] === 'InService' ? true : undefined),
      'a launch after the shortage',
    );
  });

  it('that are protected from scale-in stay, and an activity says why', async () => {
    await clients.autoScaling.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName: 'protected',
        LaunchConfigurationName: 'plain',
        MinSize: 0,
        MaxSize: 2,
        DesiredCapacity: 2,
        NewInstancesProtectedFromScaleIn: true,
      }),
    );
    await clients.autoScaling.send(
      new SetDesiredCapacityCommand({ AutoScalingGroupName: 'protected', DesiredCapacity: 0 }),
    );
    expect(statesOf(await groupOf('protected'))).toEqual(['InService', 'InService']);
    const [last] = await activitiesOf('protected');
    expect(last?.StatusMessage).toContain('protected from scale in');
  });

  it('are spread over the zones, and the oldest of the fullest zone ends first', async () => {
    await createGroup('zones', { MinSize: 0, MaxSize: 5, DesiredCapacity: 3 });
    const before = (await groupOf('zones')).Instances ?? [];
    expect(before.map((one) => one.AvailabilityZone)).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1a']);
    await clients.autoScaling.send(
      new SetDesiredCapacityCommand({ AutoScalingGroupName: 'zones', DesiredCapacity: 2 }),
    );
    const after = (await groupOf('zones')).Instances ?? [];
    expect(after.map((one) => one.InstanceId)).toEqual([before[1]?.InstanceId, before[2]?.InstanceId]);
  });

  it('keep their group from being deleted without force', async () => {
    await createGroup('kept', { MinSize: 0, MaxSize: 1, DesiredCapacity: 1 });
    const remove = (ForceDelete: boolean) =>
      clients.autoScaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: 'kept', ForceDelete }));
    await expect(remove(false)).rejects.toMatchObject({ name: 'ResourceInUseFault' });
    await remove(true);
  });
});

describe('activities and events', () => {
  it('tell of each launch and termination as AWS does', async () => {
    await createGroup('told', { MinSize: 0, MaxSize: 3, DesiredCapacity: 1 });
    await clients.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: 'told', MaxSize: 0 }));
    const [ended, launched] = await activitiesOf('told');
    expect(launched).toMatchObject({
      StatusCode: 'Successful',
      Progress: 100,
      Description: expect.stringMatching(/^Launching a new EC2 instance: i-[0-9a-f]{17}$/),
      Cause: expect.stringContaining('increasing the capacity from 0 to 1'),
    });
    expect(ended).toMatchObject({
      StatusCode: 'Successful',
      Description: expect.stringMatching(/^Terminating EC2 instance: i-/),
      Cause: expect.stringContaining('changing the desired capacity from 1 to 0'),
    });
    expect(launched?.EndTime).toBeInstanceOf(Date);
  });

  it('reach rules on the default bus', async () => {
    const role = await createRole(clients, 'told', 'states.amazonaws.com', everything);
    const machine = await createMachine(clients, 'told', role, {
      StartAt: 'Done',
      States: { Done: { Type: 'Pass', End: true } },
    });
    await clients.events.send(
      new PutRuleCommand({
        Name: 'told',
        EventPattern: JSON.stringify({ source: ['aws.autoscaling'], detail: { AutoScalingGroupName: ['heard'] } }),
      }),
    );
    await clients.events.send(
      new PutTargetsCommand({ Rule: 'told', Targets: [{ Id: 'machine', Arn: machine, RoleArn: role }] }),
    );
    await createGroup('heard', { MinSize: 0, MaxSize: 1, DesiredCapacity: 1 });
    const [execution] = await eventually(async () => {
      const { executions } = await clients.sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }));
      return executions?.length ? executions : undefined;
    }, 'the launch event');
    const { input } = await clients.sfn.send(new DescribeExecutionCommand({ executionArn: execution?.executionArn }));
    expect(JSON.parse(input ?? '')).toMatchObject({
      source: 'aws.autoscaling',
      'detail-type': 'EC2 Instance Launch Successful',
      account: hubAccount,
      detail: { AutoScalingGroupName: 'heard', EC2InstanceId: expect.stringMatching(/^i-/), Origin: 'EC2' },
    });
  });
});

describe('a group of a template', () => {
  const template = (group: object) => ({
    Resources: {
      Launch: {
        Type: 'AWS::AutoScaling::LaunchConfiguration',
        Properties: { ImageId: 'ami-1', InstanceType: 't3.micro' },
      },
      Group: {
        Type: 'AWS::AutoScaling::AutoScalingGroup',
        Properties: {
          AutoScalingGroupName: 'templated',
          LaunchConfigurationName: { Ref: 'Launch' },
          AvailabilityZones: ['us-east-1a'],
          Tags: [{ Key: 'entangle:lending', Value: 'enabled', PropagateAtLaunch: true }],
          ...group,
        },
      },
    },
  });

  it('gets its instances and keeps its desired capacity over an update that does not state one', async () => {
    await deploy(clients, 'workload', template({ MinSize: '1', MaxSize: '4' }));
    expect(statesOf(await groupOf('templated'))).toEqual(['InService']);
    await clients.autoScaling.send(
      new SetDesiredCapacityCommand({ AutoScalingGroupName: 'templated', DesiredCapacity: 3 }),
    );
    await clients.cloudFormation.send(
      new UpdateStackCommand({
        StackName: 'workload',
        TemplateBody: JSON.stringify(template({ MinSize: '1', MaxSize: '5' })),
      }),
    );
    await eventually(async () => ((await groupOf('templated')).MaxSize === 5 ? true : undefined), 'the update');
    expect(await groupOf('templated')).toMatchObject({ DesiredCapacity: 3 });
    expect(statesOf(await groupOf('templated'))).toHaveLength(3);
  });

  it('fails the stack when AWS would refuse its sizes', async () => {
    const wrong = template({ AutoScalingGroupName: 'wrong', MinSize: '3', MaxSize: '2' });
    await expect(deploy(clients, 'wrong', wrong)).rejects.toThrow(/ROLLBACK|FAILED/);
  });

  it('is found by its tag', async () => {
    const found = await clients.autoScaling.send(
      new DescribeAutoScalingGroupsCommand({ Filters: [{ Name: 'tag:entangle:lending', Values: ['enabled'] }] }),
    );
    expect(found.AutoScalingGroups?.map((one) => one.AutoScalingGroupName)).toEqual(['templated']);
    const none = await clients.autoScaling.send(
      new DescribeAutoScalingGroupsCommand({ Filters: [{ Name: 'tag:entangle:lending', Values: ['disabled'] }] }),
    );
    expect(none.AutoScalingGroups).toEqual([]);
  });
});
