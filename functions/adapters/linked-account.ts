import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AccountId } from '../../core/units.ts';
import { now } from './clock.ts';

/** How the hub enters a linked account: a narrow role, by name, with the ExternalId that both sides know. */
export interface RoleInLinkedAccount {
  /** The role's name without the region of the groups that it is for: `<roleName>-<region>` in full. */
  readonly roleName: string;
  readonly externalId: string;
}

export interface LinkedAccountClients {
  readonly autoScaling: AutoScalingClient;
  readonly cloudWatch: CloudWatchClient;
  /** For clients of other services in the same session. */
  readonly options: SessionOptions;
}

interface SessionOptions {
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
}

const sts = new STSClient({});
const SESSION_SECONDS = 3_600;
/** Credentials are renewed this long before they end, so that no call starts with ones about to expire. */
const RENEW_BEFORE_MILLIS = 300_000;

interface Session {
  readonly clients: LinkedAccountClients;
  readonly renewAtMillis: number;
}
const sessions = new Map<string, Promise<Session>>();

/** Roles are named within a partition: China and GovCloud have their own. */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

async function openSession(account: AccountId, region: string, role: RoleInLinkedAccount): Promise<Session> {
  const assumed = await sts.send(
    new AssumeRoleCommand({
      RoleArn: `arn:${partitionOf(region)}:iam::${account}:role/${role.roleName}-${region}`,
      RoleSessionName: 'entangle-hub',
      ExternalId: role.externalId,
      DurationSeconds: SESSION_SECONDS,
    }),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = assumed.Credentials ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new Error(`AssumeRole of ${role.roleName} in account ${account} answered without credentials`);
  }
  const options = {
    region,
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
  };
  const ends = Expiration?.getTime() ?? now() + SESSION_SECONDS * 1_000;
  return {
    clients: { autoScaling: new AutoScalingClient(options), cloudWatch: new CloudWatchClient(options), options },
    renewAtMillis: ends - RENEW_BEFORE_MILLIS,
  };
}

/**
 * Clients that act in a linked account through its role. A session is shared by all calls of one execution environment
 * until shortly before it ends.
 * @throws AccessDenied from STS when the account does not trust this function, or the ExternalId is wrong
 */
export async function linkedAccount(
  account: AccountId,
  region: string,
  role: RoleInLinkedAccount,
): Promise<LinkedAccountClients> {
  const key = `${account}/${region}/${role.roleName}`;
  const cached = await sessions.get(key)?.catch(() => undefined);
  if (cached !== undefined && cached.renewAtMillis > now()) return cached.clients;
  const opening = openSession(account, region, role);
  sessions.set(key, opening);
  try {
    return (await opening).clients;
  } catch (error) {
    sessions.delete(key);
    throw error;
  }
}
