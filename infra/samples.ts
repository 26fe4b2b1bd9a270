import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { ConfigError } from './config.ts';

const sizes = z
  .strictObject({
    minSize: z.int().min(0),
    desiredCapacity: z.int().min(0),
    maxSize: z.int().min(0),
    /** Whether the owner has tagged the group for lending. Default: true. */
    lendingEnabled: z.boolean().default(true),
  })
  .refine(({ minSize, desiredCapacity, maxSize }) => minSize <= desiredCapacity && desiredCapacity <= maxSize, {
    error: 'expected minSize ≤ desiredCapacity ≤ maxSize',
  });
const samplesSchema = z.record(z.string().regex(/^\d{12}\/[a-z0-9-]+\/.+$/), sizes);

/** The sizes of the sample groups by pool id, `<account>/<region>/<group>`. */
export type Samples = Readonly<Record<string, z.input<typeof sizes>>>;
export type CheckedSamples = z.output<typeof samplesSchema>;

/**
 * Reads the sizes of the sample groups.
 * @throws ConfigError when the file cannot be read or a size is wrong
 */
export function loadSamples(path: string): CheckedSamples {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = samplesSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${path}: ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(lines.join('\n'));
}
