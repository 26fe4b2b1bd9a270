import { CreateScheduleCommand, GetScheduleCommand } from '@aws-sdk/client-scheduler';
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
let role: string;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
  role = await createRole(clients, 'all', 'states.amazonaws.com', everything);
});

afterAll(() => emulator?.stop());

describe('one-time schedules', () => {
  const at = (seconds: number) => `at(${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)})`;
  const once = { FlexibleTimeWindow: { Mode: 'OFF' as const }, ActionAfterCompletion: 'DELETE' as const };

  const started = (machine: string) =>
    eventually(async () => {
      const { executions } = await clients.sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }));
      const executionArn = executions?.[0]?.executionArn;
      return executionArn === undefined ? undefined : clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
    }, 'the scheduled execution');

  const done = { StartAt: 'Done', States: { Done: { Type: 'Pass', End: true } } };

  it('start an execution as templated target, with context attributes, and are gone', async () => {
    const machine = await createMachine(clients, 'templated', role, done);
    const Input = JSON.stringify({ loan: 'L1', schedule: '<aws.scheduler.schedule-arn>' });
    const { ScheduleArn } = await clients.scheduler.send(
      new CreateScheduleCommand({
        ...once,
        Name: 'templated',
        ScheduleExpression: at(1),
        Target: { Arn: machine, RoleArn: role, Input },
      }),
    );
    const execution = await started(machine);
    expect(JSON.parse(execution.input ?? '')).toEqual({ loan: 'L1', schedule: ScheduleArn });
    await expect(clients.scheduler.send(new GetScheduleCommand({ Name: 'templated' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('start a named execution as universal target, again after they were made anew', async () => {
    const machine = await createMachine(clients, 'universal', role, done);
    const schedule = (name: string) =>
      clients.scheduler.send(
        new CreateScheduleCommand({
          ...once,
          Name: 'universal',
          ScheduleExpression: at(1),
          Target: {
            Arn: 'arn:aws:scheduler:::aws-sdk:sfn:startExecution',
            RoleArn: role,
            Input: JSON.stringify({ StateMachineArn: machine, Name: name, Input: JSON.stringify({ loan: name }) }),
          },
        }),
      );
    for (const name of ['return-L1', 'return-L2']) {
      await schedule(name);
      const executionArn = `${machine.replace(':stateMachine:', ':execution:')}:${name}`;
      const execution = await eventually(
        () => clients.sfn.send(new DescribeExecutionCommand({ executionArn })).catch(() => undefined),
        executionArn,
      );
      expect(execution).toMatchObject({ name, input: JSON.stringify({ loan: name }) });
    }
  });

  it('are due in their own time zone', async () => {
    const machine = await createMachine(clients, 'zoned', role, done);
    const schedule = (Name: string, hours: number) => {
      const moment = new Date(Date.now() + 1_000 + hours * 3_600_000);
      return clients.scheduler.send(
        new CreateScheduleCommand({
          ...once,
          Name,
          ScheduleExpression: `at(${moment.toISOString().slice(0, 19)})`,
          ScheduleExpressionTimezone: 'Asia/Tokyo',
          Target: { Arn: machine, RoleArn: role, Input: JSON.stringify({ Name }) },
        }),
      );
    };
    await schedule('tomorrow', 33);
    await schedule('now', 9);
    expect((await started(machine)).input).toBe(JSON.stringify({ Name: 'now' }));
    const kept = await clients.scheduler.send(new GetScheduleCommand({ Name: 'tomorrow' }));
    expect(kept).toMatchObject({
      ScheduleExpressionTimezone: 'Asia/Tokyo',
      ScheduleExpression: expect.stringMatching(/^at\(/),
    });
    await expect(
      clients.scheduler.send(
        new CreateScheduleCommand({
          ...once,
          Name: 'nowhere',
          ScheduleExpression: at(60),
          ScheduleExpressionTimezone: 'Asia/Nowhere',
          Target: { Arn: machine, RoleArn: role },
        }),
      ),
    ).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('of a template keep what they do after completion', async () => {
    const machine = await createMachine(clients, 'from-template', role, done);
    await deploy(clients, 'schedules', {
      Resources: {
        Once: {
          Type: 'AWS::Scheduler::Schedule',
          Properties: {
            Name: 'from-template',
            ScheduleExpression: at(600),
            FlexibleTimeWindow: { Mode: 'OFF' },
            ActionAfterCompletion: 'DELETE',
            Target: { Arn: machine, RoleArn: role },
          },
        },
      },
    });
    const schedule = await clients.scheduler.send(new GetScheduleCommand({ Name: 'from-template' }));
    expect(schedule.ActionAfterCompletion).toBe('DELETE');
  });

  it('refuse a time that is none, and a universal target nobody knows', async () => {
    const create = (ScheduleExpression: string, Arn: string) =>
      clients.scheduler.send(
        new CreateScheduleCommand({ ...once, Name: 'wrong', ScheduleExpression, Target: { Arn, RoleArn: role } }),
      );
    await expect(create('at(2026-13-01T00:00:00)', role)).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(create(at(60), 'arn:aws:scheduler:::aws-sdk:sfn:nothing')).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });
});
