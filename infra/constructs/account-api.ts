import type { MethodOptions, StageOptions } from 'aws-cdk-lib/aws-apigateway';
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { ArnPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { DataKey } from './data-key.ts';
import { encryptedLogGroup } from './encrypted-log-group.ts';

interface AccountApiProps {
  /** Accounts whose own IAM identities may call. */
  readonly callers: readonly string[];
  readonly handler: IFunction;
  readonly dataKey: DataKey;
}

const STAGE_NAME = 'v1';
const REQUESTS_PER_SECOND_MAX = 50;
const REQUESTS_AT_ONCE_MAX = 100;

/** Each route with the query parameters that it knows. */
const ROUTES: readonly { readonly method: string; readonly path: string; readonly query?: readonly string[] }[] = [
  { method: 'PUT', path: 'pools' },
  { method: 'GET', path: 'pools' },
  { method: 'PUT', path: 'consent' },
  { method: 'GET', path: 'consent' },
  { method: 'DELETE', path: 'consent' },
  { method: 'GET', path: 'loans', query: ['state'] },
  { method: 'GET', path: 'loans/{loanId}' },
  { method: 'POST', path: 'loans/{loanId}/return' },
  { method: 'POST', path: 'loans/{loanId}/recall' },
  { method: 'POST', path: 'loans/{loanId}/renew' },
  { method: 'GET', path: 'requests' },
  { method: 'DELETE', path: 'requests/{requestId}' },
  { method: 'GET', path: 'bills' },
  { method: 'GET', path: 'audit', query: ['after'] },
  { method: 'GET', path: 'plan' },
  { method: 'GET', path: 'pairings', query: ['state'] },
  { method: 'POST', path: 'pairings/{pairingId}/accept' },
  { method: 'PUT', path: 'pairings/{pairingId}/limit' },
  { method: 'DELETE', path: 'pairings/{pairingId}' },
  { method: 'GET', path: 'organisation' },
  { method: 'PUT', path: 'organisation' },
  { method: 'GET', path: 'trust' },
  { method: 'POST', path: 'trust/records' },
  { method: 'GET', path: 'capacity', query: ['pool'] },
  { method: 'GET', path: 'switches' },
  { method: 'POST', path: 'switches/stop' },
  { method: 'POST', path: 'switches/resume' },
];

const ACCESS_LOG_FORMAT = AccessLogFormat.custom(
  JSON.stringify({
    requestId: '$context.requestId',
    at: '$context.requestTime',
    accountId: '$context.identity.accountId',
    caller: '$context.identity.userArn',
    route: '$context.httpMethod $context.resourcePath',
    status: '$context.status',
    error: '$context.error.message',
    latencyMillis: '$context.responseLatency',
  }),
);

/** What accounts ask of the hub: every call signed by an IAM identity of the account that it is about. */
export class AccountApi extends Construct {
  readonly api: RestApi;

  constructor(scope: Construct, id: string, props: AccountApiProps) {
    super(scope, id);
    this.api = new RestApi(this, 'Api', {
      restApiName: 'entangle',
      description: 'Enrolment, consent, pairings, loans, bills, trust and audit records of the calling account',
      endpointTypes: [EndpointType.REGIONAL],
      policy: callersOnly(props.callers),
      deployOptions: stageOptions(encryptedLogGroup(this, 'AccessLogs', props.dataKey.key)),
      cloudWatchRole: true,
    });
    // The hub's stack has outputs of its own.
    this.api.node.tryRemoveChild('Endpoint');
    this.#addRoutes(props.handler);
    this.#acknowledgeFindings();
  }

  #addRoutes(handler: IFunction): void {
    const integration = new LambdaIntegration(handler, { scopePermissionToMethod: false });
    const requestValidator = this.api.addRequestValidator('Validator', {
      validateRequestBody: true,
      validateRequestParameters: true,
    });
    for (const { method, path, query = [] } of ROUTES) {
      const options: MethodOptions = {
        authorizationType: AuthorizationType.IAM,
        requestValidator,
        requestParameters: Object.fromEntries(query.map((name) => [`method.request.querystring.${name}`, false])),
      };
      this.api.root.resourceForPath(path).addMethod(method, integration, options);
    }
  }

  #acknowledgeFindings(): void {
    acknowledge(
      this.api,
      'COG4',
      'Callers are IAM identities of linked accounts (AWS_IAM on every method), not people of a user pool.',
    );
    acknowledge(
      this.api.deploymentStage,
      'APIG3',
      'Every request has to be signed by a linked account before it reaches code, and the stage is throttled: a web ACL would have nothing left to filter.',
    );
    acknowledge(
      this.api,
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
      'API Gateway asks for this managed policy on the role with which it writes logs.',
    );
  }
}

/** Bare account ids are the shortest form of a principal: the policy may have 8,192 bytes. */
function callersOnly(callers: readonly string[]): PolicyDocument {
  const allow = new PolicyStatement({
    principals: callers.map((accountId) => new ArnPrincipal(accountId)),
    actions: ['execute-api:Invoke'],
    resources: ['execute-api:/*'],
  });
  return new PolicyDocument({ statements: [allow] });
}

function stageOptions(accessLogs: LogGroup): StageOptions {
  return {
    stageName: STAGE_NAME,
    accessLogDestination: new LogGroupLogDestination(accessLogs),
    accessLogFormat: ACCESS_LOG_FORMAT,
    loggingLevel: MethodLoggingLevel.ERROR,
    dataTraceEnabled: false,
    metricsEnabled: true,
    tracingEnabled: true,
    throttlingRateLimit: REQUESTS_PER_SECOND_MAX,
    throttlingBurstLimit: REQUESTS_AT_ONCE_MAX,
  };
}
