import type { Role } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { DataKey } from './data-key.ts';
import { schedulerRole } from './loan-schedules.ts';

interface TimetableProps {
  readonly planEveryHours: number;
  readonly reconcileEveryMinutes: number;
  readonly lookAheadEveryMinutes: number;
  /** 0: never. */
  readonly capacityEveryMinutes: number;
  readonly plan: StateMachine;
  readonly reconcile: IFunction;
  readonly lookAhead: IFunction;
  readonly measureCapacity: IFunction;
  readonly deadLetters: Queue;
  readonly dataKey: DataKey;
}

const rate = (count: number, unit: 'hour' | 'minute'): string => `rate(${count} ${unit}${count === 1 ? '' : 's'})`;

/** What runs by the clock: planning, finding what an event missed, looking at what is forecast, and measuring what could be lent. */
export class Timetable extends Construct {
  readonly #props: TimetableProps;
  readonly #role: Role;

  constructor(scope: Construct, id: string, props: TimetableProps) {
    super(scope, id);
    this.#props = props;
    this.#role = schedulerRole(this, 'Role', 'Entangle: starts planning, reconciling and looking ahead');
    this.#grantTargets();
    this.#schedule('plan', rate(props.planEveryHours, 'hour'), props.plan.stateMachineArn);
    this.#schedule('reconcile', rate(props.reconcileEveryMinutes, 'minute'), props.reconcile.functionArn);
    this.#schedule('look-ahead', rate(props.lookAheadEveryMinutes, 'minute'), props.lookAhead.functionArn);
    const { capacityEveryMinutes: minutes, measureCapacity } = props;
    if (minutes > 0) this.#schedule('measure-capacity', rate(minutes, 'minute'), measureCapacity.functionArn);
  }

  #grantTargets(): void {
    const { plan, reconcile, lookAhead, measureCapacity, deadLetters, dataKey } = this.#props;
    const may = (action: string, resource: string): void => {
      this.#role.addToPolicy(new PolicyStatement({ actions: [action], resources: [resource] }));
    };
    may('states:StartExecution', plan.stateMachineArn);
    may('lambda:InvokeFunction', reconcile.functionArn);
    may('lambda:InvokeFunction', lookAhead.functionArn);
    may('lambda:InvokeFunction', measureCapacity.functionArn);
    may('sqs:SendMessage', deadLetters.queueArn);
    dataKey.grantUseThroughWorkflows(this.#role);
    dataKey.grantUseThroughQueues(this.#role);
  }

  #schedule(
    id: 'plan' | 'reconcile' | 'look-ahead' | 'measure-capacity',
    scheduleExpression: string,
    arn: string,
  ): void {
    const schedule = new CfnSchedule(this, id, {
      name: `entangle-${id}`,
      scheduleExpression,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn,
        roleArn: this.#role.roleArn,
        input: '{}',
        deadLetterConfig: { arn: this.#props.deadLetters.queueArn },
        // The next run does what a late one would.
        retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: 300 },
      },
      kmsKeyArn: this.#props.dataKey.key.keyArn,
    });
    schedule.node.addDependency(this.#role);
  }
}
