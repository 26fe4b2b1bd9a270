import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema } from './json-schema.ts';

const path = fileURLToPath(new URL('../docs/schemas/entangle.schema.json', import.meta.url));
writeFileSync(path, configJsonSchema());
console.log(`wrote ${path}`);
