import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { signedGet } from './sigv4.ts';
import { type Clients, clientsOf, createUser, deploy, hubAccount, lenderAccount, policyOf, region } from './support.ts';

let emulator: Emulator;
let hub: Clients;
let lender: Clients;

beforeAll(async () => {
  emulator = await startEmulator({ auth: true });
  hub = clientsOf(emulator.endpoint, hubAccount);
  lender = clientsOf(emulator.endpoint, lenderAccount);
});

afterAll(() => emulator?.stop());

describe('a REST API called from another account', () => {
  const template = {
    Resources: {
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
          },
        },
      },
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
          Code: {
            ZipFile:
              'exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.identity) });',
          },
        },
      },
      Api: {
        Type: 'AWS::ApiGateway::RestApi',
        Properties: {
          Name: 'hub',
          Policy: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { AWS: `arn:aws:iam::${lenderAccount}:root` },
                Action: 'execute-api:Invoke',
                Resource: 'execute-api:/*',
              },
            ],
          },
        },
      },
      Who: {
        Type: 'AWS::ApiGateway::Resource',
        Properties: {
          RestApiId: { Ref: 'Api' },
          ParentId: { 'Fn::GetAtt': ['Api', 'RootResourceId'] },
          PathPart: 'who',
        },
      },
      Get: {
        Type: 'AWS::ApiGateway::Method',
        Properties: {
          RestApiId: { Ref: 'Api' },
          ResourceId: { Ref: 'Who' },
          HttpMethod: 'GET',
          AuthorizationType: 'AWS_IAM',
          Integration: {
            Type: 'AWS_PROXY',
            IntegrationHttpMethod: 'POST',
            Uri: {
              'Fn::Sub':
                'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations',
            },
          },
        },
      },
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          FunctionName: { Ref: 'Function' },
          Action: 'lambda:InvokeFunction',
          Principal: 'apigateway.amazonaws.com',
        },
      },
      Deployment: {
        Type: 'AWS::ApiGateway::Deployment',
        DependsOn: 'Get',
        Properties: { RestApiId: { Ref: 'Api' } },
      },
      Stage: {
        Type: 'AWS::ApiGateway::Stage',
        Properties: { RestApiId: { Ref: 'Api' }, DeploymentId: { Ref: 'Deployment' }, StageName: 'v1' },
      },
    },
    Outputs: { Api: { Value: { Ref: 'Api' } } },
  };

  let url: string;

  beforeAll(async () => {
    const outputs = await deploy(hub, 'rest', template);
    url = `${emulator.endpoint}/_aws/execute-api/${outputs['Api']}/v1/who`;
  });

  const mayInvoke = policyOf({
    Effect: 'Allow',
    Action: 'execute-api:Invoke',
    Resource: `arn:aws:execute-api:${region}:${hubAccount}:*/v1/GET/who`,
  });

  it('knows the caller when both the API and the caller’s own policy allow it', async () => {
    const caller = await createUser(lender, 'consenting', mayInvoke);
    const { status, body } = await signedGet(url, caller);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { accountId: lenderAccount, userArn: `arn:aws:iam::${lenderAccount}:user/consenting` },
    });
  });

  it('refuses a caller whose own policy does not allow it', async () => {
    const caller = await createUser(lender, 'without', policyOf({ Effect: 'Allow', Action: 's3:*', Resource: '*' }));
    expect(await signedGet(url, caller)).toMatchObject({ status: 403 });
  });

  it('refuses an account the API’s policy does not name', async () => {
    const third = clientsOf(emulator.endpoint, '333333333333');
    const caller = await createUser(third, 'stranger', mayInvoke);
    expect(await signedGet(url, caller)).toMatchObject({ status: 403 });
  });

  it('refuses a wrong secret', async () => {
    const caller = await createUser(lender, 'forger', mayInvoke);
    expect(await signedGet(url, { ...caller, secretAccessKey: 'wrong' })).toMatchObject({ status: 403 });
  });
});
