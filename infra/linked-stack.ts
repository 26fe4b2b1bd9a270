import type { IStackSynthesizer } from 'aws-cdk-lib';
import { BootstraplessSynthesizer, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { HubConfig, LinkedAccountConfig } from './config-schema.ts';
import { AlarmForwarding } from './constructs/alarm-forwarding.ts';
import { HubAccess } from './constructs/hub-access.ts';
import { grantReservations } from './constructs/reservation-access.ts';
import { UtilisationAlarms } from './constructs/utilisation-alarms.ts';
import { linkedAccountStackName } from './names.ts';

interface LinkedAccountStackProps {
  readonly hub: HubConfig;
  readonly linkedAccount: LinkedAccountConfig;
  /** Role in the account that the CDK command line takes on to deploy. Default: its own credentials. */
  readonly deployRoleName?: string;
}

/** The type of aws-cdk-lib's synthesizer is wider than its interface under exactOptionalPropertyTypes. */
function synthesizer(accountId: string, deployRoleName?: string): IStackSynthesizer {
  const deployRole = deployRoleName && {
    deployRoleArn: `arn:\${AWS::Partition}:iam::${accountId}:role/${deployRoleName}`,
  };
  return new BootstraplessSynthesizer(deployRole || {}) as IStackSynthesizer;
}

/**
 * What one account has in one region: two roles for the hub, the alarms of its pools and their way to the hub. No
 * function, asset or nested stack, so that the template also goes out by StackSets to accounts without CDK's bootstrap.
 */
export class LinkedAccountStack extends Stack {
  constructor(scope: Construct, props: LinkedAccountStackProps) {
    const { hub, linkedAccount } = props;
    const { accountId: account, region, name, pools } = linkedAccount;
    super(scope, linkedAccountStackName(account, region), {
      env: { account, region },
      description: `Entangle: what the hub needs in ${name}`,
      synthesizer: synthesizer(account, props.deployRoleName),
    });
    grantReservations(new HubAccess(this, 'HubAccess', hub), pools);
    new AlarmForwarding(this, 'AlarmForwarding', hub);
    for (const pool of pools) new UtilisationAlarms(this, `Pool-${pool.groupName}`.replaceAll('/', '|'), pool);
  }
}
