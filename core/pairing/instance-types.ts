/**
 * Families of EC2 instance types: their letters, then a generation, then letters for processor and extras, then a variant such as
 * `-flex`. By shape, not by list, so that a new generation of a known family is known on the day it comes out.
 */
const FAMILY =
  /^(?:(?:a|c|d|dl|f|g|gr|h|hpc|i|im|inf|is|m|mac|p|r|t|trn|vt|x|z)\d+[a-z]*(?:-(?:flex|m\d+[a-z]*))?|u\d*[a-z]*-\d+tb\d*)$/;
const SIZE = /^(?:nano|micro|small|medium|large|xlarge|\d+xlarge|metal(?:-\d+xl)?)$/;

/** Why a text is no EC2 instance type; undefined when it is one. */
export function instanceTypeProblem(text: string): string | undefined {
  const [family = '', size = '', ...rest] = text.split('.');
  if (rest.length > 0 || size === '') return 'expected <family>.<size>, such as m7g.large';
  if (!FAMILY.test(family)) return `expected a family of EC2 instances before the dot, such as m7g, got ${family}`;
  return SIZE.test(size) ? undefined : `expected a size after the dot, such as large or 4xlarge, got ${size}`;
}
