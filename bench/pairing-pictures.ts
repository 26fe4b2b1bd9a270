/** Draws the pictures of docs/pairing.md: `node bench/pairing-pictures.ts`. Those of what was measured come from its table. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { balancePicture, coverPicture } from './pairing/pictures.ts';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const pictures = {
  'pairing-balance.svg': balancePicture(),
  'pairing-cover.svg': coverPicture(readFileSync(`${docs}pairing.md`, 'utf8')),
};
for (const [name, picture] of Object.entries(pictures)) {
  writeFileSync(`${docs}${name}`, picture);
  console.log(`wrote docs/${name}`);
}
