import { Stack } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { HubConfig } from '../config-schema.ts';
import { ALARM_NAME_PREFIX, eventBusArn, FORWARD_RULE_NAME, forwardRoleName, LOW_ALARM_NAME_PREFIX } from '../names.ts';

/** Sends state changes of the utilisation alarms on to the hub. */
export class AlarmForwarding extends Construct {
  constructor(scope: Construct, id: string, hub: HubConfig) {
    super(scope, id);
    const { account, partition, region } = Stack.of(this);
    const busArn = eventBusArn(hub.accountId, hub.region, partition);
    const ruleArn = `arn:${partition}:events:${region}:${account}:rule/${FORWARD_RULE_NAME}`;
    const conditions = { StringEquals: { 'aws:SourceAccount': account }, ArnEquals: { 'aws:SourceArn': ruleArn } };
    const role = new Role(this, 'Role', {
      roleName: forwardRoleName(hub.accountId, region),
      description: 'Entangle: EventBridge forwards utilisation alarms to the hub',
      assumedBy: new ServicePrincipal('events.amazonaws.com', { conditions }),
    });
    role.addToPolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: [busArn] }));
    const rule = new CfnRule(this, 'Rule', {
      name: FORWARD_RULE_NAME,
      description: 'State changes of utilisation alarms, to the hub',
      eventPattern: {
        source: ['aws.cloudwatch'],
        'detail-type': ['CloudWatch Alarm State Change'],
        detail: { alarmName: [{ prefix: ALARM_NAME_PREFIX }, { prefix: LOW_ALARM_NAME_PREFIX }] },
      },
      targets: [{ id: 'hub', arn: busArn, roleArn: role.roleArn }],
    });
    rule.node.addDependency(role);
  }
}
