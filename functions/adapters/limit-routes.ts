import * as z from 'zod';
import type { OrganisationUnit } from '../../core/organisation.ts';
import { organisationProblem } from '../../core/organisation.ts';
import type { UnitLimit } from '../../core/unit-limits.ts';
import type { AccountId } from '../../core/units.ts';
import type { Caller, Route } from './http.ts';
import { unitLimitSchema, unitLimitsSchema } from './limit-schemas.ts';
import { readMemberships } from './limit-store.ts';
import { parse } from './middleware.ts';
import { readOrganisation, replaceOrganisation } from './organisation-store.ts';
import { accountIdSchema } from './schemas.ts';
import type { AuditTables } from './transaction.ts';

const unitSchema: z.ZodType<OrganisationUnit> = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected 1 to 64 letters, digits, dots, dashes, underscores'),
  limits: unitLimitsSchema.exactOptional(),
  accounts: z.array(accountIdSchema).exactOptional(),
  get units() {
    return z.array(unitSchema).exactOptional();
  },
});

/** Body of `PUT /organisation`. */
const organisationSchema = z.strictObject({
  units: z.array(unitSchema).superRefine((units, context) => {
    const problem = organisationProblem(units);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  }),
});

/** What the routes of limits need of the function that serves them. */
export interface LimitService {
  readonly tables: AuditTables;
  readonly hubAccount: AccountId;
  /** Records that a caller asked for what is not its own, and refuses. */
  readonly refuse: (caller: Caller, what: string) => Promise<never>;
}

/** The limit in the body of a call about a pairing: `null` takes it away. */
const limitBodySchema = z.strictObject({ limit: unitLimitSchema.nullable() });
const acceptBodySchema = z.strictObject({ limit: unitLimitSchema.exactOptional() });

/** The limit that a party states. @throws InvalidInput */
export function statedLimit({ body }: Caller): UnitLimit | undefined {
  return parse(limitBodySchema, body, 'body').limit ?? undefined;
}

/** The limit that a party states while it accepts; a body is not needed. @throws InvalidInput */
export function limitOnAcceptance({ body }: Caller): UnitLimit | undefined {
  return body === undefined ? undefined : parse(acceptBodySchema, body, 'body').limit;
}

async function putOrganisation(caller: Caller, { tables, hubAccount, refuse }: LimitService): Promise<object> {
  const { units } = parse(organisationSchema, caller.body, 'body');
  if (caller.accountId !== hubAccount) return refuse(caller, 'the organisation');
  const author = { accountId: caller.accountId, actor: caller.userArn };
  return replaceOrganisation(units, author, tables);
}

/** The operator of the hub reads all of it, an account the units above it. */
async function showOrganisation({ accountId }: Caller, { tables, hubAccount }: LimitService): Promise<object> {
  const memberships = await readMemberships(tables.accountsTable, [accountId]);
  const unitsAbove = memberships.get(accountId)?.unitsAbove ?? [];
  if (accountId !== hubAccount) return { unitsAbove };
  return { unitsAbove, organisation: await readOrganisation(tables.accountsTable) };
}

/** The routes of the organisation's limits. */
export function limitRoutes(service: LimitService): readonly Route[] {
  return [
    { method: 'GET', path: '/organisation', run: (caller) => showOrganisation(caller, service) },
    { method: 'PUT', path: '/organisation', run: (caller) => putOrganisation(caller, service) },
  ];
}
