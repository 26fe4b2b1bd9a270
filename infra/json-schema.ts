import * as z from 'zod';
import { configSchema } from './config-schema.ts';

/** The JSON Schema of the configuration file, for editors; what relates one field to another is checked by the code only. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, title: 'entangle.json' }, undefined, 2)}\n`;
}
