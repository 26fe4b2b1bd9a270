import * as z from 'zod';
import { HARM_TARGET } from '../../core/lending/harm.ts';
import { parsePriorityRules } from './priority-rules.ts';

const name = z.string().min(1);
const wholeSeconds = z
  .string()
  .regex(/^\d+$/, 'expected a whole number of seconds')
  .transform((text) => Number.parseInt(text, 10));

/** As credits.ts takes it. */
const creditStrength = z
  .string()
  .regex(/^0(\.\d+)?$/, 'expected a number from 0 up to 1, 1 excluded')
  .transform((text) => Number.parseFloat(text));

/** As priority-rules.ts takes them; left out: the default ones. */
const priorityRules = z
  .string()
  .default('{}')
  .transform((text) => parsePriorityRules(text));

/** What units are lent by. `plan`: no outlook is made. */
const lendBy = z.enum(['outlook', 'plan'], { error: 'expected outlook or plan' }).default('outlook');

/** As outlook.ts takes it. */
const harmTarget = z
  .string()
  .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'expected a number from 0 to 1')
  .default(String(HARM_TARGET))
  .transform((text) => Number.parseFloat(text));

const variables = {
  ENTANGLE_ACCOUNTS_TABLE: name,
  ENTANGLE_LOANS_TABLE: name,
  ENTANGLE_LEDGER_TABLE: name,
  ENTANGLE_AUDIT_TABLE: name,
  ENTANGLE_HISTORY_BUCKET: name,
  ENTANGLE_EVENT_BUS: name,
  ENTANGLE_HUB_ACCOUNT_ID: name,
  ENTANGLE_BORROW_STATE_MACHINE_ARN: name,
  ENTANGLE_RETURN_STATE_MACHINE_ARN: name,
  ENTANGLE_PLAN_STATE_MACHINE_ARN: name,
  ENTANGLE_SCHEDULER_ROLE_ARN: name,
  ENTANGLE_SCHEDULE_GROUP: name,
  ENTANGLE_EXTERNAL_ID: name,
  ENTANGLE_OBSERVE_ROLE_NAME: name,
  ENTANGLE_ADJUST_ROLE_NAME: name,
  ENTANGLE_STUCK_AFTER_SECONDS: wholeSeconds,
  ENTANGLE_CREDIT_STRENGTH: creditStrength,
  ENTANGLE_PRIORITY_RULES: priorityRules,
  ENTANGLE_LEND_BY: lendBy,
  ENTANGLE_HARM_TARGET: harmTarget,
  ENTANGLE_LOOK_AHEAD_SECONDS: wholeSeconds,
};
type Variables = typeof variables;
type Variable = keyof Variables;
export type Env<Name extends Variable> = { readonly [Key in Name]: z.infer<Variables[Key]> };

/**
 * The environment variables that a function needs, parsed once at its start.
 * @throws Error that names every variable that is missing or malformed
 */
export function readEnv<Name extends Variable>(...names: readonly Name[]): Env<Name> {
  const shape = Object.fromEntries(names.map((key) => [key, variables[key]]));
  const parsed = z.object(shape).safeParse(process.env);
  if (parsed.success) return parsed.data as Env<Name>;
  const faults = parsed.error.issues.map((fault) => `${fault.path.join('.')}: ${fault.message}`);
  throw new Error(`environment of the function: ${faults.join('; ')}`);
}
