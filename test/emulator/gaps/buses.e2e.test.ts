import {
  CreateEventBusCommand,
  DescribeEventBusCommand,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { AddPermissionCommand } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import {
  type Clients,
  clientsOf,
  createFunction,
  createMachine,
  createRole,
  deploy,
  eventually,
  everything,
  hubAccount,
  lenderAccount,
  policyOf,
  region,
} from './support.ts';

let emulator: Emulator;
let hub: Clients;
let lender: Clients;

beforeAll(async () => {
  emulator = await startEmulator({ auth: true });
  hub = clientsOf(emulator.endpoint, hubAccount);
  lender = clientsOf(emulator.endpoint, lenderAccount);
});

afterAll(() => emulator?.stop());

describe('an event bus of another account', () => {
  let machine: string;
  let sender: string;

  beforeAll(async () => {
    await hub.events.send(new CreateEventBusCommand({ Name: 'hub' }));
    const role = await createRole(hub, 'bus-machine', 'states.amazonaws.com', everything);
    machine = await createMachine(hub, 'bus', role, { StartAt: 'Done', States: { Done: { Type: 'Pass', End: true } } });
    await hub.events.send(
      new PutRuleCommand({ Name: 'receive', EventBusName: 'hub', EventPattern: JSON.stringify({ source: ['sent'] }) }),
    );
    await hub.events.send(
      new PutTargetsCommand({
        Rule: 'receive',
        EventBusName: 'hub',
        Targets: [{ Id: 'machine', Arn: machine, RoleArn: role }],
      }),
    );
    const bus = `arn:aws:events:${region}:${hubAccount}:event-bus/hub`;
    const mayPut = policyOf({ Effect: 'Allow', Action: 'events:PutEvents', Resource: bus });
    sender = await createRole(lender, 'forward', 'events.amazonaws.com', mayPut);
    await lender.events.send(new PutRuleCommand({ Name: 'send', EventPattern: JSON.stringify({ source: ['sent'] }) }));
    await lender.events.send(
      new PutTargetsCommand({ Rule: 'send', Targets: [{ Id: 'hub', Arn: bus, RoleArn: sender }] }),
    );
  });

  const send = (name: string) =>
    lender.events.send(
      new PutEventsCommand({ Entries: [{ Source: 'sent', DetailType: 'test', Detail: JSON.stringify({ name }) }] }),
    );

  const received = async () => {
    const { executions } = await hub.sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }));
    return executions ?? [];
  };

  it('receives nothing until its policy admits the sender, then the event as it was', async () => {
    await send('too early');
    await hub.events.send(
      new PutPermissionCommand({
        EventBusName: 'hub',
        Action: 'events:PutEvents',
        Principal: lenderAccount,
        StatementId: 'lender',
      }),
    );
    await send('admitted');
    const [execution, ...others] = await eventually(async () => {
      const executions = await received();
      return executions.length > 0 ? executions : undefined;
    }, 'the admitted event');
    expect(others).toEqual([]);
    const { input } = await hub.sfn.send(new DescribeExecutionCommand({ executionArn: execution?.executionArn }));
    expect(JSON.parse(input ?? '')).toMatchObject({
      source: 'sent',
      account: lenderAccount,
      detail: { name: 'admitted' },
    });
  });

  it.each([
    ['the Policy of the bus', 'in-bus', true],
    ['an EventBusPolicy', 'beside-bus', false],
  ])('is opened by %s in a template', async (_, name, inBus) => {
    const statement = {
      Sid: 'lender',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${lenderAccount}:root` },
      Action: 'events:PutEvents',
      Resource: `arn:aws:events:${region}:${hubAccount}:event-bus/${name}`,
    };
    await deploy(hub, name, {
      Resources: {
        Bus: {
          Type: 'AWS::Events::EventBus',
          Properties: { Name: name, ...(inBus ? { Policy: { Version: '2012-10-17', Statement: [statement] } } : {}) },
        },
        ...(inBus
          ? {}
          : {
              Admit: {
                Type: 'AWS::Events::EventBusPolicy',
                Properties: { EventBusName: { Ref: 'Bus' }, StatementId: 'lender', Statement: statement },
              },
            }),
      },
    });
    const { Policy } = await hub.events.send(new DescribeEventBusCommand({ Name: name }));
    expect(JSON.parse(Policy ?? '')).toMatchObject({ Statement: [statement] });
  });

  it('receives nothing through a role that may not put events', async () => {
    const before = await received();
    const mayNot = await createRole(
      lender,
      'mute',
      'events.amazonaws.com',
      policyOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }),
    );
    const bus = `arn:aws:events:${region}:${hubAccount}:event-bus/hub`;
    const target = (RoleArn: string) =>
      lender.events.send(new PutTargetsCommand({ Rule: 'send', Targets: [{ Id: 'hub', Arn: bus, RoleArn }] }));
    await target(mayNot);
    await send('mute');
    await target(sender);
    await send('heard');
    const after = await eventually(async () => {
      const executions = await received();
      return executions.length > before.length ? executions : undefined;
    }, 'the event of the right role');
    expect(after).toHaveLength(before.length + 1);
  });
});

describe('a rule', () => {
  it('invokes a function only when the function’s own policy lets EventBridge', async () => {
    const role = await createRole(hub, 'listener', 'lambda.amazonaws.com', everything);
    const listener = await createFunction(hub, 'listener', role, 'export const handler = async () => "heard";');
    const pattern = JSON.stringify({ source: ['said'] });
    const { RuleArn } = await hub.events.send(new PutRuleCommand({ Name: 'listen', EventPattern: pattern }));
    await hub.events.send(new PutTargetsCommand({ Rule: 'listen', Targets: [{ Id: 'listener', Arn: listener }] }));
    const say = () =>
      hub.events.send(new PutEventsCommand({ Entries: [{ Source: 'said', DetailType: 'test', Detail: '{}' }] }));
    const heard = async () => (await emulator.control.calls()).filter((one) => one.resource === 'listener').length;
    await say();
    await hub.lambda.send(
      new AddPermissionCommand({
        FunctionName: 'listener',
        StatementId: 'rule',
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        ...(RuleArn === undefined ? {} : { SourceArn: RuleArn }),
      }),
    );
    await say();
    await eventually(async () => ((await heard()) > 0 ? true : undefined), 'the permitted invocation');
    expect(await heard()).toBe(1);
  });
});
