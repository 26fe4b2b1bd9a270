import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { Architecture, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { FunctionName } from '../names.ts';
import { functionName, functionRoleName } from '../names.ts';
import type { DataKey } from './data-key.ts';
import { encryptedLogGroup } from './encrypted-log-group.ts';

interface HubFunctionProps {
  readonly name: FunctionName;
  readonly region: string;
  readonly code: Code;
  readonly memoryMebibytes: number;
  readonly timeoutSeconds: number;
  readonly environment: Record<string, string>;
  readonly dataKey: DataKey;
  /** Where events go that could not be handled; for functions that are invoked asynchronously. */
  readonly deadLetters?: IQueue;
}

/** A function with a role of its own, whose name linked accounts can trust before they have seen it. */
export class HubFunction extends Construct {
  readonly role: Role;
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: HubFunctionProps) {
    super(scope, id);
    const logGroup = encryptedLogGroup(this, 'Logs', props.dataKey.key);
    this.role = new Role(this, 'Role', {
      roleName: functionRoleName(props.name, props.region),
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Entangle: what the function ${props.name} may do`,
    });
    this.#grantWriteLogs(logGroup.logGroupArn);
    const { account, partition, region } = Stack.of(this);
    const functionArn = `arn:${partition}:lambda:${region}:${account}:function:${functionName(props.name)}`;
    props.dataKey.grantReadVariables(this.role, functionArn);
    this.function = new LambdaFunction(this, 'Function', {
      functionName: functionName(props.name),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: props.code,
      role: this.role,
      memorySize: props.memoryMebibytes,
      timeout: Duration.seconds(props.timeoutSeconds),
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      environmentEncryption: props.dataKey.key,
      logGroup,
      ...(props.deadLetters === undefined ? {} : { deadLetterQueue: props.deadLetters }),
    });
    if (props.deadLetters !== undefined) props.dataKey.grantUseThroughQueues(this.role);
  }

  #grantWriteLogs(logGroupArn: string): void {
    const actions = ['logs:CreateLogStream', 'logs:PutLogEvents'];
    this.role.addToPolicy(new PolicyStatement({ actions, resources: [logGroupArn] }));
  }
}
