/** The command cannot mean anything as it was given: exit code 2. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
}
