import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  CustomerManagedEncryptionConfiguration,
  DefinitionBody,
  LogLevel,
  StateMachine,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { FunctionName, StateMachineKind } from '../names.ts';
import { stateMachineName } from '../names.ts';
import type { DataKey } from './data-key.ts';
import { encryptedLogGroup } from './encrypted-log-group.ts';
import type { HubFunctions } from './hub-functions.ts';

interface WorkflowsProps {
  /** Folder of the `.asl.json` files. */
  readonly definitions: string;
  readonly dataKey: DataKey;
  readonly functions: HubFunctions;
}

/** The functions that each workflow calls, in the order of its states. */
const CALLS: Readonly<Record<StateMachineKind, readonly FunctionName[]>> = {
  borrow: ['assess', 'choose', 'reserve', 'move-ceiling', 'activate', 'settle', 'serve-queue'],
  return: ['renew', 'move-ceiling', 'settle', 'serve-queue'],
  plan: ['list-pools', 'collect', 'forecast', 'judge-pairings', 'pair', 'look-ahead'],
};

/** `move-ceiling` → `MoveCeilingFunctionArn`, as the definitions name it. */
function placeholder(name: FunctionName): string {
  const words = name.split('-').map((word) => `${word[0]?.toUpperCase() ?? ''}${word.slice(1)}`);
  return `${words.join('')}FunctionArn`;
}

/** The ARN by the fixed name: functions know the workflows that call them, without a circle between their resources. */
export function stateMachineArn(scope: Construct, kind: StateMachineKind): string {
  const { account, partition, region } = Stack.of(scope);
  return `arn:${partition}:states:${region}:${account}:stateMachine:${stateMachineName(kind)}`;
}

/** The three workflows. Their definitions are in `state-machines/`. */
export class Workflows extends Construct {
  readonly borrow: StateMachine;
  readonly return: StateMachine;
  readonly plan: StateMachine;
  readonly #props: WorkflowsProps;
  readonly #logs: LogGroup;

  constructor(scope: Construct, id: string, props: WorkflowsProps) {
    super(scope, id);
    this.#props = props;
    this.#logs = encryptedLogGroup(this, 'Logs', props.dataKey.key);
    this.borrow = this.#machine('borrow');
    this.return = this.#machine('return');
    this.plan = this.#machine('plan');
    this.#letPlanFanOut();
  }

  /** Starting an execution, and learning whether it is the same start that came before. */
  grantStart(kind: StateMachineKind, grantee: IGrantable): void {
    const actions = ['states:StartExecution'];
    const resources = [stateMachineArn(this, kind)];
    grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
    this.#props.dataKey.grantUseThroughWorkflows(grantee);
  }

  #machine(kind: StateMachineKind): StateMachine {
    const { definitions, dataKey, functions } = this.#props;
    const called = CALLS[kind].map((name) => [placeholder(name), functions.get(name).functionArn] as const);
    const machine = new StateMachine(this, kind, {
      stateMachineName: stateMachineName(kind),
      definitionBody: DefinitionBody.fromFile(join(definitions, `${kind}.asl.json`)),
      definitionSubstitutions: Object.fromEntries(called),
      logs: { destination: this.#logs, level: LogLevel.ERROR, includeExecutionData: false },
      tracingEnabled: true,
      encryptionConfiguration: new CustomerManagedEncryptionConfiguration(dataKey.key),
    });
    for (const name of CALLS[kind]) this.#letCall(machine, name);
    this.#acknowledgeFindings(machine);
    return machine;
  }

  #letCall(machine: StateMachine, name: FunctionName): void {
    const resources = [this.#props.functions.get(name).functionArn];
    machine.addToRolePolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources }));
  }

  /** A Distributed Map runs its items as executions of the same state machine. */
  #letPlanFanOut(): void {
    const machine = stateMachineArn(this, 'plan');
    const executions = `${machine.replace(':stateMachine:', ':execution:')}:*`;
    this.plan.addToRolePolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [machine] }));
    const actions = ['states:DescribeExecution', 'states:StopExecution'];
    this.plan.addToRolePolicy(new PolicyStatement({ actions, resources: [executions] }));
    acknowledge(
      this.plan,
      `IAM5[Resource::${executions}]`,
      'The items of a Distributed Map are executions of the same state machine, with names that Step Functions gives.',
    );
  }

  #acknowledgeFindings(machine: StateMachine): void {
    acknowledge(
      machine,
      'SF1',
      'Every state of a loan has its audit record and the history of an execution stays in Step Functions; logs hold what failed.',
    );
    acknowledge(
      machine,
      'IAM5[Resource::*]',
      'Log delivery and X-Ray have no resource-level permissions; CDK gives them for logging and tracing.',
    );
  }
}
