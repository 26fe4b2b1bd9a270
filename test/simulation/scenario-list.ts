/** Scenarios that run here and on the emulator's Step Functions, and have to end in the same states. */

/** What fails so many times: a function before it begins or after it is done, or a move of one side's group. */
export type ScriptedFault =
  | { readonly functionName: string; readonly when: 'before' | 'after'; readonly times: number }
  | { readonly moveOf: 'lender' | 'borrower'; readonly times: number };

export interface Scenario {
  readonly name: string;
  readonly fault?: ScriptedFault;
}

/** As often as Step Functions tries a step of the borrow saga: the undoing after it finds all well again. */
const ALL_TRIES = 5;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'nothing fails' },
  { name: 'choosing fails', fault: { functionName: 'choose', when: 'before', times: ALL_TRIES } },
  { name: 'reserving fails', fault: { functionName: 'reserve', when: 'before', times: ALL_TRIES } },
  {
    name: 'the answer of reserving is lost each time',
    fault: { functionName: 'reserve', when: 'after', times: ALL_TRIES },
  },
  { name: "the lender's group cannot be changed", fault: { moveOf: 'lender', times: ALL_TRIES } },
  { name: "the borrower's group cannot be changed", fault: { moveOf: 'borrower', times: ALL_TRIES } },
  { name: 'activating fails', fault: { functionName: 'activate', when: 'before', times: ALL_TRIES } },
];
