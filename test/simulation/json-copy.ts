/** What crosses a border as JSON: copied without the text in between, which takes twice as long. */

const LONGEST_ESCAPE = 6;
const LONGEST_NUMBER = 25;

/** `JSON.parse(JSON.stringify(value))`: what JSON does not hold is left out of objects, and null elsewhere. */
export function jsonCopy(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  // JSON knows no -0.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null;
  if (typeof value !== 'object' || value === null) return value === null ? null : undefined;
  if (Array.isArray(value)) {
    const copies: unknown[] = [];
    for (const each of value) copies.push(jsonCopy(each) ?? null);
    return copies;
  }
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return jsonCopy((toJSON as () => unknown).call(value));
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const each = jsonCopy((value as Readonly<Record<string, unknown>>)[name]);
    if (each !== undefined) copy[name] = each;
  }
  return copy;
}

/** At most so many characters are in a text of JSON, whatever has to be escaped in it. */
function mostCharacters(value: unknown): number {
  if (typeof value === 'string') return value.length * LONGEST_ESCAPE + 2;
  if (typeof value !== 'object' || value === null) return LONGEST_NUMBER;
  let characters = 2;
  if (Array.isArray(value)) {
    for (const each of value) characters += mostCharacters(each) + 1;
    return characters;
  }
  for (const name of Object.keys(value)) {
    const each = (value as Readonly<Record<string, unknown>>)[name];
    characters += name.length * LONGEST_ESCAPE + mostCharacters(each) + 4;
  }
  return characters;
}

/** Whether a value of JSON is longer than so many characters as a text. */
export function isLongerThan(value: unknown, characters: number): boolean {
  return mostCharacters(value) > characters && JSON.stringify(value).length > characters;
}
