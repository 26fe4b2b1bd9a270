/** What the bare calls need that the product does not have: a role to call with, and a workflow that does nothing. */
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AccountId } from '../../core/units.ts';
import type { Fleet } from '../../test/support/deployment.ts';
import { clientOptions } from '../../test/support/deployment.ts';
import { HUB } from '../../test/support/lending-fleet.ts';
import { BENCH_ROLE } from './calls.ts';

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const ACTIONS = ['autoscaling:*', 'cloudwatch:*', 'dynamodb:*', 'iam:PassRole', 'scheduler:*', 'states:*'];

export class ScratchStage {
  readonly stateMachineArn: string;
  readonly #credentials: ReadonlyMap<AccountId, Credentials>;

  private constructor(stateMachineArn: string, credentials: ReadonlyMap<AccountId, Credentials>) {
    this.stateMachineArn = stateMachineArn;
    this.#credentials = credentials;
  }

  /** Makes the role in the hub and in each linked account, and opens a session of each, as a function does. */
  static async set(fleet: Fleet, linked: readonly AccountId[]): Promise<ScratchStage> {
    const credentials = new Map<AccountId, Credentials>();
    for (const account of [HUB, ...linked]) {
      await makeRole(fleet, account);
      credentials.set(account, await openSession(fleet, account));
    }
    const workflows = new SFNClient(clientOptions(fleet.deployed, HUB));
    const made = await workflows.send(
      new CreateStateMachineCommand({
        name: BENCH_ROLE,
        roleArn: roleInput(HUB).RoleArn,
        definition: JSON.stringify({ StartAt: 'Nothing', States: { Nothing: { Type: 'Pass', End: true } } }),
      }),
    );
    if (made.stateMachineArn === undefined) throw new Error('the state machine of the bare calls was not made');
    return new ScratchStage(made.stateMachineArn, credentials);
  }

  roleOf(account: AccountId) {
    return roleInput(account);
  }

  credentialsOf(account: AccountId): Credentials {
    const credentials = this.#credentials.get(account);
    if (credentials === undefined) throw new Error(`the bench has no session in account ${account}`);
    return credentials;
  }
}

function roleInput(account: AccountId) {
  return {
    RoleArn: `arn:aws:iam::${account}:role/${BENCH_ROLE}`,
    RoleSessionName: 'bare',
    DurationSeconds: 3_600,
  } satisfies AssumeRoleCommandInput;
}

async function makeRole(fleet: Fleet, account: AccountId): Promise<void> {
  const iam = new IAMClient(clientOptions(fleet.deployed, account));
  const trust = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HUB}:root` }, Action: 'sts:AssumeRole' };
  await iam.send(
    new CreateRoleCommand({ RoleName: BENCH_ROLE, AssumeRolePolicyDocument: JSON.stringify(policyOf(trust)) }),
  );
  const grant = { Effect: 'Allow', Action: ACTIONS, Resource: '*' };
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: BENCH_ROLE,
      PolicyName: 'bare-calls',
      PolicyDocument: JSON.stringify(policyOf(grant)),
    }),
  );
}

function policyOf(statement: object): object {
  return { Version: '2012-10-17', Statement: [statement] };
}

async function openSession(fleet: Fleet, account: AccountId): Promise<Credentials> {
  const sts = new STSClient(clientOptions(fleet.deployed, HUB));
  const { Credentials } = await sts.send(new AssumeRoleCommand(roleInput(account)));
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new Error(`the bench could not enter account ${account}`);
  }
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}
