import {
  AutoScalingClient,
  DeleteAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { hubClient } from '../../cli/hub-client.ts';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { Trust } from '../../core/trust/trust.ts';
import type { AccountId } from '../../core/units.ts';
import { accountId } from '../../core/units.ts';
import type { FunctionName, LinkedRoleKind } from '../../infra/names.ts';
import { functionRoleName, linkedRoleName } from '../../infra/names.ts';
import { clientOptions, Fleet } from '../support/deployment.ts';
import { BORROWER, EXTERNAL_ID, FLEET, HUB, idOf, LENDER, REGION, RIVAL, UNTAGGED } from '../support/lending-fleet.ts';
import { auditOf, booksOf, borrow, calm, giveBack, loanIn, overload } from '../support/loan-story.ts';

const fleet = new Fleet();

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

async function assume(roleArn: string, options: object, externalId?: string): Promise<Keys> {
  const client = new STSClient({ ...clientOptions(fleet.deployed, HUB), ...options });
  const { Credentials: keys } = await client.send(
    new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test', ...(externalId && { ExternalId: externalId }) }),
  );
  return {
    accessKeyId: keys?.AccessKeyId ?? '',
    secretAccessKey: keys?.SecretAccessKey ?? '',
    sessionToken: keys?.SessionToken ?? '',
  };
}

/** Acts as a function of the hub: its role is made assumable for the test, as only an administrator of the hub can. */
async function asFunction(name: FunctionName): Promise<Keys> {
  const roleName = functionRoleName(name, REGION);
  const trust = (principal: object) => ({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' });
  await new IAMClient(clientOptions(fleet.deployed, HUB)).send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: roleName,
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [trust({ Service: 'lambda.amazonaws.com' }), trust({ AWS: `arn:aws:iam::${HUB}:root` })],
      }),
    }),
  );
  return assume(`arn:aws:iam::${HUB}:role/${roleName}`, {});
}

function enter(account: AccountId, kind: LinkedRoleKind, keys: Keys, externalId?: string): Promise<Keys> {
  const roleArn = `arn:aws:iam::${account}:role/${linkedRoleName(kind, HUB, REGION)}`;
  return assume(roleArn, { credentials: keys }, externalId);
}

function autoScalingOf(account: AccountId, keys: Keys): AutoScalingClient {
  return new AutoScalingClient({ ...clientOptions(fleet.deployed, account), credentials: keys });
}

describe('the roles in a linked account', () => {
  let mover: Keys;
  beforeAll(async () => {
    mover = await asFunction('move-ceiling');
  });

  it('let the one function that moves ceilings in, with the ExternalId', async () => {
    expect((await enter(LENDER, 'Adjust', mover, EXTERNAL_ID)).accessKeyId).toMatch(/^ASIA/);
  });

  it('refuse a wrong and a missing ExternalId', async () => {
    await expect(enter(LENDER, 'Adjust', mover, 'entangle-of-somebody-else')).rejects.toThrow(/not authorized/);
    await expect(enter(LENDER, 'Adjust', mover)).rejects.toThrow(/not authorized/);
  });

  it.each<[FunctionName, LinkedRoleKind]>([
    ['reserve', 'Adjust'],
    ['assess', 'Adjust'],
    ['move-ceiling', 'Observe'],
    ['settle', 'Observe'],
  ])('refuse the function %s for the role %s', async (name, kind) => {
    await expect(enter(LENDER, kind, await asFunction(name), EXTERNAL_ID)).rejects.toThrow(/not authorized/);
  });

  it("refuse the hub's own root and another account", async () => {
    const roleArn = `arn:aws:iam::${LENDER}:role/${linkedRoleName('Adjust', HUB, REGION)}`;
    await expect(assume(roleArn, {}, EXTERNAL_ID)).rejects.toThrow(/not authorized/);
    await expect(assume(roleArn, clientOptions(fleet.deployed, RIVAL), EXTERNAL_ID)).rejects.toThrow(/not authorized/);
  });

  it('change tagged groups, and neither untagged ones nor anything else', async () => {
    const inside = await enter(UNTAGGED, 'Adjust', mover, EXTERNAL_ID);
    const untagged = { AutoScalingGroupName: FLEET.untagged.lender.groupName };
    const client = autoScalingOf(UNTAGGED, inside);
    await expect(client.send(new UpdateAutoScalingGroupCommand({ ...untagged, MaxSize: 7 }))).rejects.toThrow(
      /not authorized/,
    );
    const lending = autoScalingOf(LENDER, await enter(LENDER, 'Adjust', mover, EXTERNAL_ID));
    const tagged = { AutoScalingGroupName: FLEET.types.lender.groupName };
    await lending.send(new UpdateAutoScalingGroupCommand({ ...tagged, MaxSize: FLEET.types.lender.sizes.maxSize }));
    await expect(lending.send(new DeleteAutoScalingGroupCommand(tagged))).rejects.toThrow(/not authorized/);
  });
});

describe('an untagged group', () => {
  const { lender, borrower } = FLEET.untagged;
  it('never lends, although its account consented', async () => {
    const before = await booksOf(fleet, [lender, borrower]);
    await calm(fleet, borrower);
    const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused', 'active');
    expect(loan).toMatchObject({ state: 'refused', endDetail: expect.stringContaining('entangle:lending') });
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
  });
});

describe('the API', () => {
  const { borrower } = FLEET.types;
  it("shows an account's loans to its two parties only, and records who else asked", async () => {
    await calm(fleet, borrower);
    const loan = await giveBack(fleet, await borrow(fleet, borrower));
    expect(await fleet.api(BORROWER, 'GET', `/loans/${loan.loanId}`)).toEqual({ loan });
    const { loan: lent } = await fleet.api<{ loan: LoanView }>(LENDER, 'GET', `/loans/${loan.loanId}`);
    const { loanId, units, termSeconds, billedMicroUsd, history } = loan;
    expect(lent).toMatchObject({ loanId, units, termSeconds, billedMicroUsd, history });
    await expect(fleet.api(RIVAL, 'GET', `/loans/${loan.loanId}`)).rejects.toThrow('403');
    await expect(fleet.api(RIVAL, 'POST', `/loans/${loan.loanId}/return`)).rejects.toThrow('403');
    const denied = (await auditOf(fleet, RIVAL)).filter((record) => record.subject === `loan ${loan.loanId}`);
    expect(denied.map(({ type }) => type)).toEqual(['access.denied', 'access.denied']);
    expect((await fleet.loansOf(RIVAL)).some(({ loanId }) => loanId === loan.loanId)).toBe(false);
    const { trust } = await fleet.api<{ trust: Trust }>(RIVAL, 'GET', '/trust');
    const [newest] = trust.parts.compliance.newestEvidence;
    expect(newest).toMatchObject({ kind: 'access-denied', subject: `audit record ${denied.at(-1)?.seq}` });
  });

  it('shows neither party the figures of the other', async () => {
    await calm(fleet, borrower);
    const borrowed = await giveBack(fleet, await borrow(fleet, borrower));
    const { loan: lent } = await fleet.api<{ loan: LoanView }>(LENDER, 'GET', `/loans/${borrowed.loanId}`);
    expect(Object.keys(borrowed.moves).sort()).toEqual(['give', 'takeBack']);
    expect(Object.keys(lent.moves).sort()).toEqual(['giveBack', 'take']);
    expect(borrowed.reasons.join('\n')).toContain('cpu needs 6 units');
    expect(borrowed.reasons.join('\n')).not.toContain('ceiling 8');
    expect(lent.reasons.join('\n')).toContain('ceiling 8');
    expect(lent.reasons.join('\n')).not.toContain('cpu needs');
    expect(lent).not.toHaveProperty('inServiceBefore');
  });

  it('enrols no pool of another account', async () => {
    const spec = (await fleet.pool(idOf(borrower))).spec;
    await expect(fleet.api(RIVAL, 'PUT', '/pools', spec)).rejects.toThrow('403');
  });

  it('is closed to accounts that are not linked, whatever they allow themselves', async () => {
    const stranger = accountId('999999999999');
    const iam = new IAMClient(clientOptions(fleet.deployed, stranger));
    await iam.send(new CreateUserCommand({ UserName: 'curious' }));
    await iam.send(
      new PutUserPolicyCommand({
        UserName: 'curious',
        PolicyName: 'invoke',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }],
        }),
      }),
    );
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: 'curious' }));
    const credentials = { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' };
    const client = hubClient({ url: fleet.deployed.apiUrl, region: REGION, credentials });
    await expect(client.send('GET', '/loans')).rejects.toThrow('403');
  });

  it.each<[string, unknown, string]>([
    ['a misspelt field', { lends: {} }, 'Unrecognized key'],
    ['no direction', { groupNames: [], allowedApplications: [] }, 'dataAccess'],
    ['a share above 100', { lend: { maxSharePercent: 120 } }, 'lend.maxSharePercent'],
  ])('names what is wrong in a consent: %s', async (_case, body, message) => {
    await expect(fleet.api(RIVAL, 'PUT', '/consent', body)).rejects.toThrow(message);
  });
});
