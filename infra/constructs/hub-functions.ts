import { Stack } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Code, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { FunctionName, LinkedRoleKind } from '../names.ts';
import { FUNCTION_NAMES, linkedRolePrefix } from '../names.ts';
import type { DataKey } from './data-key.ts';
import { HubFunction } from './hub-function.ts';

interface HubFunctionsProps {
  readonly codeOf: (name: FunctionName) => Code;
  readonly environment: Record<string, string>;
  readonly dataKey: DataKey;
  readonly deadLetters: IQueue;
}

interface Size {
  readonly memoryMebibytes: number;
  readonly timeoutSeconds: number;
}

const SMALL: Size = { memoryMebibytes: 512, timeoutSeconds: 30 };
/** Waits for AWS calls in linked accounts, or goes through many items. */
const PATIENT: Size = { memoryMebibytes: 512, timeoutSeconds: 120 };
/** Computes: memory buys processor time. */
const COMPUTING: Size = { memoryMebibytes: 1_769, timeoutSeconds: 300 };

const SIZES: Readonly<Partial<Record<FunctionName, Size>>> = {
  'list-pools': PATIENT,
  collect: PATIENT,
  'look-ahead': PATIENT,
  'measure-capacity': PATIENT,
  reconcile: PATIENT,
  forecast: COMPUTING,
  'judge-pairings': PATIENT,
  pair: COMPUTING,
};

/** Nobody waits for their answer, so a failure has to go somewhere. */
const INVOKED_ASYNCHRONOUSLY: ReadonlySet<FunctionName> = new Set([
  'on-alarm',
  'on-recovery',
  'look-ahead',
  'measure-capacity',
  'reconcile',
]);

/** All functions of the hub. */
export class HubFunctions extends Construct {
  readonly #functions: ReadonlyMap<FunctionName, HubFunction>;

  constructor(scope: Construct, id: string, props: HubFunctionsProps) {
    super(scope, id);
    const { codeOf, environment, dataKey, deadLetters } = props;
    const { region } = Stack.of(this);
    this.#functions = new Map(
      FUNCTION_NAMES.map((name) => {
        const asynchronous = INVOKED_ASYNCHRONOUSLY.has(name) ? { deadLetters } : {};
        const size = SIZES[name] ?? SMALL;
        const made = { name, region, code: codeOf(name), environment, dataKey, ...size, ...asynchronous };
        return [name, new HubFunction(this, name, made)];
      }),
    );
  }

  get(name: FunctionName): IFunction {
    return this.#of(name).function;
  }

  role(name: FunctionName): IRole {
    return this.#of(name).role;
  }

  /** Entering any linked account by the role of that kind; each account decides itself whom it lets in. */
  grantAssumeLinkedRole(name: FunctionName, kind: LinkedRoleKind): void {
    const { account, partition } = Stack.of(this);
    const resource = `arn:${partition}:iam::*:role/${linkedRolePrefix(kind, account)}-*`;
    const role = this.#of(name).role;
    role.addToPolicy(new PolicyStatement({ actions: ['sts:AssumeRole'], resources: [resource] }));
    acknowledge(
      role,
      `IAM5[Resource::${resource}]`,
      'The role has the same name in every linked account and region; each trusts only this function, with the ExternalId.',
    );
  }

  #of(name: FunctionName): HubFunction {
    const found = this.#functions.get(name);
    if (found === undefined) throw new Error(`no function ${name}`);
    return found;
  }
}
