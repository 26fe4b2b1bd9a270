/** Fields of the configuration file whose errors say what is expected. */
import * as z from 'zod';

export function text(pattern: RegExp, expected: string) {
  return z.string({ error: expected }).regex(pattern, { error: expected });
}

export function whole(min: number, max: number, unit: string) {
  const error = `a whole number of ${unit} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function decimal(above: number, max: number, expected: string) {
  return z.number({ error: expected }).gt(above, { error: expected }).max(max, { error: expected });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `one of ${values.join(', ')}` });
}

/** An object with these fields and no others: an unknown field is a misspelt one. */
export function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = Object.keys(shape)
    .filter((name) => name !== '$schema')
    .join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `one of the fields ${names}` : `an object with ${names}`),
  });
}

export function list<Item extends z.ZodType>(item: Item, min: number, max: number, of: string) {
  const error = `a list of ${min} to ${max} ${of}`;
  return z.array(item, { error }).min(min, { error }).max(max, { error });
}
