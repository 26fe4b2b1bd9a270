import { Stack } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { eventBusArn } from '../names.ts';

/** Putting events on the hub's bus. None can look like an alarm's: EventBridge takes events of `aws.` sources from AWS alone. */
export function grantPutPairingEvents(scope: Construct, grantee: IGrantable): void {
  const { account, partition, region } = Stack.of(scope);
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['events:PutEvents'],
      resources: [eventBusArn(account, region, partition)],
    }),
  );
}
