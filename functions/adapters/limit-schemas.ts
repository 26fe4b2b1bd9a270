import * as z from 'zod';

/** A limit beside those of consents, as somebody states it: of units, of unit-hours a month, or of both. */
export const unitLimitSchema = z
  .strictObject({ maxUnits: z.int().min(0).exactOptional(), maxUnitHoursPerMonth: z.number().min(0).exactOptional() })
  .refine((limit) => Object.keys(limit).length > 0, 'expected maxUnits, maxUnitHoursPerMonth or both');

/** Limits by direction. */
export const unitLimitsSchema = z
  .strictObject({ lend: unitLimitSchema.exactOptional(), borrow: unitLimitSchema.exactOptional() })
  .refine((limits) => Object.keys(limits).length > 0, 'expected lend, borrow or both');
