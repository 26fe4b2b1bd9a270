import { Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  Alarm,
  AlarmStatusWidget,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { LoanState } from '../../core/lending/loan.ts';
import { FUNCTION_NAMES, METRICS_NAMESPACE, METRICS_SERVICE, STATE_MACHINE_KINDS } from '../names.ts';
import type { HubFunctions } from './hub-functions.ts';
import type { Workflows } from './workflows.ts';

interface OperationsProps {
  readonly functions: HubFunctions;
  readonly workflows: Workflows;
  readonly deadLetters: Queue;
}

const PERIOD = Duration.minutes(5);
const WIDGET_WIDTH = 12;

/** What an operator of the hub looks at, and is told of. */
export class Operations extends Construct {
  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    const unhandled = props.deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD });
    const alarms = [
      this.#alarmAboveZero(
        'unhandled-events',
        unhandled,
        'Events or schedules could not be handled: see the dead-letter queue.',
      ),
      ...STATE_MACHINE_KINDS.map((kind) => {
        const failed = props.workflows[kind].metricFailed({ period: PERIOD });
        return this.#alarmAboveZero(`${kind}-failed`, failed, `An execution of the workflow ${kind} failed.`);
      }),
    ];
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: 'entangle' });
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms, width: 2 * WIDGET_WIDTH }));
    dashboard.addWidgets(this.#workflowWidget(props.workflows), this.#functionWidget(props.functions));
    const events = new GraphWidget({ title: 'Unhandled events', left: [unhandled], width: WIDGET_WIDTH });
    dashboard.addWidgets(this.#loanWidget(), events);
    dashboard.addWidgets(this.#modelWidget());
  }

  /** The prefix keeps these alarms apart from `entangle/…`, whose state changes ask for loans. */
  #alarmAboveZero(name: string, metric: IMetric, alarmDescription: string): Alarm {
    return new Alarm(this, name, {
      alarmName: `entangle-hub/${name}`,
      alarmDescription,
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }

  #workflowWidget(workflows: Workflows): GraphWidget {
    const machines = STATE_MACHINE_KINDS.map((kind) => workflows[kind]);
    return new GraphWidget({
      title: 'Workflows',
      left: machines.map((machine) => machine.metricStarted({ period: PERIOD })),
      right: machines.map((machine) => machine.metricFailed({ period: PERIOD })),
      width: WIDGET_WIDTH,
    });
  }

  #loanWidget(): GraphWidget {
    const entering = (state: LoanState): Metric =>
      new Metric({
        namespace: METRICS_NAMESPACE,
        metricName: 'Loans',
        dimensionsMap: { service: METRICS_SERVICE, state },
        statistic: 'Sum',
        period: PERIOD,
        label: state,
      });
    const made: readonly LoanState[] = ['requested', 'active', 'returned'];
    const notMade: readonly LoanState[] = ['refused', 'failed', 'compensated'];
    const [left, right] = [made.map(entering), notMade.map(entering)];
    return new GraphWidget({ title: 'Loans (right: refused, undone)', left, right, width: WIDGET_WIDTH });
  }

  #modelWidget(): GraphWidget {
    const dimensions = `${METRICS_NAMESPACE},model,service`;
    const expression = `SEARCH('{${dimensions}} MetricName="FailedModels"', 'Sum', ${PERIOD.toSeconds()})`;
    const failed = new MathExpression({ expression, usingMetrics: {}, period: PERIOD, label: '' });
    return new GraphWidget({ title: 'Models that left a forecast', left: [failed], width: WIDGET_WIDTH });
  }

  #functionWidget(functions: HubFunctions): GraphWidget {
    const all = FUNCTION_NAMES.map((name) => functions.get(name));
    return new GraphWidget({
      title: 'Errors of functions',
      left: all.map((lambda) => lambda.metricErrors({ period: PERIOD })),
      width: WIDGET_WIDTH,
    });
  }
}
