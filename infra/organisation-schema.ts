import * as z from 'zod';
import type { OrganisationUnit } from '../core/organisation.ts';
import { organisationProblem } from '../core/organisation.ts';
import { accountId } from '../core/units.ts';

/** The limits and organisation units of the configuration file. Errors state what is expected, as those of config-schema.ts do. */

const UNITS_MAX = 1_000_000;
const unitsError = `a whole number of instances from 0 to ${UNITS_MAX}`;
const hoursError = 'a number of unit-hours from 0 on';
const limitError = 'an object with maxUnits, maxUnitHoursPerMonth or both';
const limitsError = 'an object with lend, borrow or both';
const nameError = 'a name of 1 to 64 letters, digits, dots, dashes, underscores';
const accountError = '12 digits in quotes';

function some(value: object): boolean {
  return Object.keys(value).length > 0;
}

const unitLimit = z
  .strictObject(
    {
      maxUnits: z
        .int({ error: unitsError })
        .min(0, { error: unitsError })
        .max(UNITS_MAX, { error: unitsError })
        .exactOptional(),
      maxUnitHoursPerMonth: z.number({ error: hoursError }).min(0, { error: hoursError }).exactOptional(),
    },
    { error: limitError },
  )
  .refine(some, { error: limitError });

/** Limits of a pool or of an organisation unit, beside those of consents. */
export const unitLimits = z
  .strictObject({ lend: unitLimit.exactOptional(), borrow: unitLimit.exactOptional() }, { error: limitsError })
  .refine(some, { error: limitsError })
  .describe('Limits beside those of the consent: units at any moment and unit-hours a month, for each direction');

const unit: z.ZodType<OrganisationUnit> = z
  .strictObject(
    {
      name: z.string({ error: nameError }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: nameError }),
      limits: unitLimits.exactOptional(),
      accounts: z
        .array(
          z
            .string({ error: accountError })
            .regex(/^\d{12}$/, { error: accountError })
            .transform((text) => accountId(text)),
          { error: 'a list of account ids' },
        )
        .exactOptional(),
      get units() {
        return z.array(unit, { error: 'a list of organisation units' }).exactOptional();
      },
    },
    { error: 'an organisation unit: an object with name, limits, accounts, units' },
  )
  .describe('Its accounts, and those of the units in it, share its limits on what leaves the unit and what enters it');

/** `hub.organisation`: units, their limits and their accounts. */
export const organisation = z
  .array(unit, { error: 'a list of organisation units' })
  .superRefine((units, context) => {
    const problem = organisationProblem(units);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .describe(
    'Units of the organisation with limits that their accounts share; "entangle organisation put" brings it to the hub. Left out: none',
  );
