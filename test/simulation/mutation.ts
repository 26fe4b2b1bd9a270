/** Bugs put in on purpose: an exact text of a shipped file replaced as it is loaded. */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Replacement {
  /** From the root of the tree. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const root = new URL('../../', import.meta.url).href;
let active: readonly Replacement[] = [];
const applied = new Set<Replacement>();

/** The text of a file with the bugs in it. @throws Error when the text to replace is not there exactly once */
export function mutatedText(url: string, text: string): string {
  let result = text;
  for (const replacement of active) {
    if (url !== root + replacement.file) continue;
    const found = result.split(replacement.from).length - 1;
    if (found !== 1)
      throw new Error(`${fileURLToPath(url)}: ${JSON.stringify(replacement.from)} is there ${found} times, not once`);
    result = result.replace(replacement.from, () => replacement.to);
    applied.add(replacement);
  }
  return result;
}

/** From now on modules are loaded with these bugs. */
export function mutate(replacements: readonly Replacement[]): void {
  active = replacements;
  if (replacements.length === 0) return;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!replacements.some(({ file }) => url === root + file) || loaded.source === undefined) return loaded;
      const source = loaded.source === null ? '' : loaded.source;
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
      return { ...loaded, source: mutatedText(url, text) };
    },
  });
}

/** @throws Error when a file that should have had a bug was never loaded */
export function assertMutated(): void {
  for (const replacement of active) {
    if (!applied.has(replacement)) throw new Error(`${replacement.file} was not loaded: its bug is not in`);
  }
}
