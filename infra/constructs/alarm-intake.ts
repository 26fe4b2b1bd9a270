import { Duration, Stack } from 'aws-cdk-lib';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { CfnEventBus, EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ALARM_NAME_PREFIX, EVENT_BUS_NAME, eventBusArn, LOW_ALARM_NAME_PREFIX } from '../names.ts';
import type { DataKey } from './data-key.ts';

interface AlarmIntakeProps {
  /** Accounts whose alarm events are let in. */
  readonly senders: readonly string[];
  readonly onAlarm: IFunction;
  readonly onRecovery: IFunction;
  readonly deadLetters: Queue;
  readonly dataKey: DataKey;
}

/** The bus that alarm state changes of linked accounts arrive on, and who handles them. */
export class AlarmIntake extends Construct {
  readonly #props: AlarmIntakeProps;
  readonly #bus: IEventBus;

  constructor(scope: Construct, id: string, props: AlarmIntakeProps) {
    super(scope, id);
    this.#props = props;
    const { account, partition, region } = Stack.of(this);
    const arn = eventBusArn(account, region, partition);
    const resource = new CfnEventBus(this, 'Bus', {
      name: EVENT_BUS_NAME,
      description: 'Alarm state changes of linked accounts',
      kmsKeyIdentifier: props.dataKey.key.keyArn,
      deadLetterConfig: { arn: props.deadLetters.queueArn },
      policy: busPolicy(arn, props.senders),
    });
    this.#bus = EventBus.fromEventBusArn(this, 'BusByArn', arn);
    this.#rule('InAlarm', ALARM_NAME_PREFIX, 'ALARM', props.onAlarm).node.addDependency(resource);
    this.#rule('Recovered', ALARM_NAME_PREFIX, 'OK', props.onRecovery).node.addDependency(resource);
    this.#rule('Low', LOW_ALARM_NAME_PREFIX, 'ALARM', props.onRecovery).node.addDependency(resource);
  }

  #rule(id: string, prefix: string, state: 'ALARM' | 'OK', handler: IFunction): Rule {
    const rule = new Rule(this, id, {
      eventBus: this.#bus,
      description: `Alarms ${prefix}* that change to ${state}`,
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        detail: { alarmName: [{ prefix }], state: { value: [state] } },
      },
    });
    // An event that comes late does no harm: the alarm's state is read again before anything is done.
    const { deadLetters: deadLetterQueue } = this.#props;
    rule.addTarget(new LambdaFunction(handler, { deadLetterQueue, retryAttempts: 10, maxEventAge: Duration.hours(1) }));
    return rule;
  }
}

/**
 * Linked accounts may put CloudWatch's own events, nothing else. Only rules can forward an event whose source is an AWS
 * service, so no account can invent an alarm, and the event keeps the id of the account that it comes from.
 */
function busPolicy(arn: string, senders: readonly string[]): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'LinkedAccountsForwardAlarms',
        Effect: 'Allow',
        Principal: { AWS: senders },
        Action: 'events:PutEvents',
        Resource: arn,
        Condition: { StringEquals: { 'events:source': 'aws.cloudwatch' } },
      },
    ],
  };
}
