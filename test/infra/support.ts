import { readFileSync } from 'node:fs';
import type { AppProps } from 'aws-cdk-lib';
import { App } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { parseConfig } from '../../infra/config.ts';
import type { Config } from '../../infra/config-schema.ts';
import { HubStack } from '../../infra/hub-stack.ts';
import { LinkedAccountStack } from '../../infra/linked-stack.ts';
import { folderIn, temporaryFolder } from '../support/temporary-folder.ts';

export const HUB_ACCOUNT = '111111111111';
export const EXTERNAL_ID = 'a-value-of-ours';

const RESOURCE = { thresholdPercent: 70, recoveryPercent: 50 };
const POOL = {
  groupName: 'web',
  application: 'shop',
  instanceType: 'm7g.large',
  networkGbps: 1,
  onDemandUsdPerUnitHour: 0.0816,
  alarm: { periodSeconds: 60, evaluationPeriods: 3, datapointsToAlarm: 2 },
  resources: { cpu: RESOURCE, memory: RESOURCE, network: RESOURCE, storage: RESOURCE },
};

export interface Place {
  readonly accountId: string;
  readonly region?: string;
}

/** By region: where its pool is. */
const AZ_IDS: Readonly<Record<string, string>> = { 'us-east-1': 'use1-az1', 'eu-central-1': 'euc1-az1' };

/** A configuration with one pool of four resource types in each place. */
export function configOf(places: readonly Place[]): Config {
  return parseConfig({
    hub: { accountId: HUB_ACCOUNT, region: 'us-east-1', externalId: EXTERNAL_ID },
    linkedAccounts: places.map(({ accountId, region = 'us-east-1' }) => ({
      accountId,
      name: `account ${accountId}`,
      region,
      pools: [{ ...POOL, azIds: [AZ_IDS[region]] }],
    })),
  });
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Stacks {
  readonly hub: HubStack;
  readonly linked: readonly LinkedAccountStack[];
  readonly app: App;
}

const synthesized = temporaryFolder('synth');

/** An app that leaves nothing behind. */
export const appOf = (props: AppProps = {}): App => new App({ outdir: folderIn(synthesized), ...props });

/** The stacks of a configuration with the flags of cdk.json; functions without their code, which takes long to bundle. */
export function stacksOf(config: Config): Stacks {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> };
  const app = appOf({ context });
  const hub = new HubStack(app, { config, codeOf: () => Code.fromInline('export const handler = () => {};') });
  const linked = config.linkedAccounts.map(
    (linkedAccount) => new LinkedAccountStack(app, { hub: config.hub, linkedAccount }),
  );
  return { app, hub, linked };
}

/** Findings of the AwsSolutions pack that nobody has acknowledged, by rule and construct. */
export function findingsOf(scope: App): string[] {
  const { violations } = new AwsSolutionsChecks(scope).validateScope(scope);
  return violations.map((violation) => `${violation.ruleName}: ${JSON.stringify(violation)}`);
}
