/** What functions do in linked accounts: only through a role that lets them, and only in that account. */
import { ScalingActivityInProgressFault } from '@aws-sdk/client-auto-scaling';
import { STSServiceException } from '@aws-sdk/client-sts';
import { LINKED_ROLE_USERS } from '../../../infra/linked-role-users.ts';
import { HUB_ENVIRONMENT } from '../environment.ts';
import { identityOf } from '../identities.ts';
import type { AwsCall, Invocation } from '../lambda.ts';
import type { World } from '../world.ts';
import type { Group, GroupSizes } from './scaling-groups.ts';

interface GroupName {
  readonly AutoScalingGroupName: string;
}
interface Protection {
  readonly InstanceIds: readonly string[];
  readonly ProtectedFromScaleIn: boolean;
}

/** Longer than any world lasts: opening sessions is the slowest call in this process. */
const SESSION_MILLIS = 12 * 3_600_000;

/** Who acts: a role in one account and region. */
interface Place {
  readonly role: 'Observe' | 'Adjust';
  readonly accountId: string;
  readonly region: string;
}

function placeOf(arn: string): Place | undefined {
  const match = /^arn:aws:iam::(\d{12}):role\/Entangle(Observe|Adjust)-\d{12}-(.+)$/.exec(arn);
  const [, accountId, role, region] = match ?? [];
  if (accountId === undefined || region === undefined) return undefined;
  return { role: role as Place['role'], accountId, region };
}

function mayUse(role: Place['role'], functionName: string): boolean {
  return (LINKED_ROLE_USERS[role] as readonly string[]).includes(functionName);
}

export class LinkedAccess {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  assumeRole(input: { readonly RoleArn: string; readonly ExternalId: string }, invocation: Invocation): object {
    const place = placeOf(input.RoleArn);
    const isTrusted = place !== undefined && mayUse(place.role, invocation.functionName);
    if (!isTrusted || input.ExternalId !== HUB_ENVIRONMENT['ENTANGLE_EXTERNAL_ID']) {
      this.#world.checks.violated('no-cross-account-access', `${invocation.label} assumes ${input.RoleArn}`);
      throw new STSServiceException({ name: 'AccessDenied', $fault: 'client', $metadata: {}, message: 'denied' });
    }
    return {
      Credentials: {
        AccessKeyId: `${place.role}|${place.accountId}|${place.region}`,
        SecretAccessKey: 'simulated',
        SessionToken: 'simulated',
        Expiration: new Date(this.#world.engine.now + SESSION_MILLIS),
      },
    };
  }

  /** Where a call acts. @param changes whether it changes something there */
  place({ client, command, invocation }: AwsCall, changes: boolean): Place {
    const [role, accountId, region] = (identityOf(client) ?? '').split('|');
    if (accountId === undefined || region === undefined) throw this.#world.defect(`${command} without a role`);
    const place = { role: role as Place['role'], accountId, region };
    const allowed = mayUse(place.role, invocation.functionName) && (!changes || place.role === 'Adjust');
    if (!allowed)
      this.#world.checks.violated('no-cross-account-access', `${invocation.label} calls ${command} as ${role}`);
    return place;
  }

  describeGroups({ AutoScalingGroupNames }: { readonly AutoScalingGroupNames: string[] }, call: AwsCall): object {
    const { groups, engine } = this.#world;
    const { accountId, region } = this.place(call, false);
    const found = groups.describe(accountId, region, AutoScalingGroupNames, engine.now);
    for (const name of AutoScalingGroupNames) {
      const group = groups.get(accountId, region, name);
      if (group === undefined) continue;
      const { desired, maxSize } = group;
      const seen = { desired, maxSize, inService: groups.inService(group) };
      call.invocation.seen.set(`${accountId}/${region}/${name}`, seen);
    }
    return { AutoScalingGroups: found };
  }

  updateGroup(input: GroupSizes & { readonly AutoScalingGroupName: string }, call: AwsCall): object {
    const { groups, engine, checks } = this.#world;
    const { accountId, region } = this.place(call, true);
    const place = { accountId, region, name: input.AutoScalingGroupName };
    if (this.#world.script?.failsMove(accountId) === true) {
      throw new ScalingActivityInProgressFault({ $metadata: {}, message: 'as the script says' });
    }
    const group = groups.get(accountId, region, place.name);
    const before = group === undefined ? undefined : { ...group };
    const after = groups.update(place, input, engine.now);
    engine.log(
      `${call.invocation.label} moves ${place.name}: max ${before?.maxSize} to ${after.maxSize}, desired ${before?.desired} to ${after.desired}`,
    );
    if (before !== undefined) checks.onMoved(call.invocation, before, after);
    return {};
  }

  #groupOf({ AutoScalingGroupName }: GroupName, call: AwsCall, changes: boolean): Group | undefined {
    const { accountId, region } = this.place(call, changes);
    return this.#world.groups.get(accountId, region, AutoScalingGroupName);
  }

  protectInstances(input: GroupName & Protection, call: AwsCall): object {
    const { groups, engine, checks } = this.#world;
    const group = this.#groupOf(input, call, true);
    if (group === undefined) return {};
    checks.onForced(call.invocation, group);
    groups.protect(group, input.InstanceIds, input.ProtectedFromScaleIn, engine.now);
    return {};
  }

  endHook(
    input: GroupName & { readonly LifecycleHookName: string; readonly InstanceId: string },
    call: AwsCall,
  ): object {
    const { groups, engine, checks } = this.#world;
    const group = this.#groupOf(input, call, true);
    if (group === undefined) return {};
    checks.onForced(call.invocation, group);
    groups.endHook(group, input.LifecycleHookName, input.InstanceId, engine.now);
    return {};
  }

  describeHooks(input: GroupName, call: AwsCall): object {
    const name = this.#groupOf(input, call, false)?.setUp.hookName;
    const hook = { LifecycleHookName: name, LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING' };
    return { LifecycleHooks: name === undefined ? [] : [hook] };
  }

  describePolicies(input: GroupName, call: AwsCall): object {
    const group = this.#groupOf(input, call, false);
    if (group?.raisesCeilingSince === undefined) return { ScalingPolicies: [] };
    const configuration = { Mode: 'ForecastAndScale', MaxCapacityBreachBehavior: 'IncreaseMaxCapacity' };
    return { ScalingPolicies: [{ Enabled: true, PredictiveScalingConfiguration: configuration }] };
  }

  describeActivities(input: GroupName, call: AwsCall): object {
    const failedAt = this.#groupOf(input, call, false)?.quotaFailedAt;
    const StatusMessage = 'You have requested more vCPU capacity than your current vCPU limit. VcpuLimitExceeded';
    return { Activities: failedAt === undefined ? [] : [{ StartTime: new Date(failedAt), StatusMessage }] };
  }

  describeAlarms(input: { readonly AlarmNamePrefix: string; readonly StateValue?: string }, call: AwsCall): object {
    const { accountId, region } = this.place(call, false);
    return this.#world.alarmsOf(accountId, region).describe(input.AlarmNamePrefix, input.StateValue);
  }

  metricData(
    input: {
      readonly MetricDataQueries: readonly { readonly Expression?: string }[];
      readonly StartTime: Date;
      readonly EndTime: Date;
    },
    call: AwsCall,
  ): object {
    const { accountId, region } = this.place(call, false);
    const [from, to] = [input.StartTime.getTime(), input.EndTime.getTime()];
    const isQuota = input.MetricDataQueries.some(({ Expression }) => Expression !== undefined);
    if (isQuota) return this.#world.quotas.metricData(accountId);
    return this.#world.alarmsOf(accountId, region).metricData(input.MetricDataQueries as never, from, to);
  }
}
