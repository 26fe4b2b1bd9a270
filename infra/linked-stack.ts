import { BootstraplessSynthesizer, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { HubConfig, LinkedAccountConfig } from './config-schema.ts';
import { AlarmForwarding } from './constructs/alarm-forwarding.ts';
import { HubAccess } from './constructs/hub-access.ts';
import { UtilisationAlarms } from './constructs/utilisation-alarms.ts';
import { linkedAccountStackName } from './names.ts';

interface LinkedAccountStackProps {
  readonly hub: HubConfig;
  readonly linkedAccount: LinkedAccountConfig;
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
      synthesizer: new BootstraplessSynthesizer(),
    });
    new HubAccess(this, 'HubAccess', hub);
    new AlarmForwarding(this, 'AlarmForwarding', hub);
    for (const pool of pools) new UtilisationAlarms(this, `Pool-${pool.groupName}`.replaceAll('/', '|'), pool);
  }
}
