// The simulation runs the state machines by an interpreter of its own. The same scenarios on the emulator's Step Functions have to
// take loans through the same states.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { Fault } from '../../emulator/control.ts';
import { runScenarios } from '../simulation/processes.ts';
import type { ScriptedFault } from '../simulation/scenario-list.ts';
import { SCENARIOS } from '../simulation/scenario-list.ts';
import { Fleet } from '../support/deployment.ts';
import { BORROWER, FLEET, LENDER } from '../support/lending-fleet.ts';
import { calm, calmFleet, giveBack, loanIn, overload } from '../support/loan-story.ts';

const fleet = new Fleet();
const { borrower } = FLEET.steps;
let simulated: ReadonlyMap<string, readonly string[]>;

function faultOf(scripted: ScriptedFault): Fault {
  const { times } = scripted;
  if ('moveOf' in scripted) {
    const accountId = scripted.moveOf === 'lender' ? LENDER : BORROWER;
    const errorCode = 'ScalingActivityInProgress';
    return { service: 'autoscaling', action: 'UpdateAutoScalingGroup', accountId, errorCode, times, when: 'before' };
  }
  const match = `entangle-${scripted.functionName}`;
  const errorCode = 'Lambda.ServiceException';
  return { service: 'lambda', action: 'Invoke', match, errorCode, times, when: scripted.when };
}

/** Whether instances drain for a while depends on how many run when the loan goes back, which is no matter of the workflow. */
function statesOf(states: readonly string[]): string[] {
  return states.filter((state) => state !== 'draining');
}

async function ended(loan: LoanView): Promise<LoanView> {
  return loan.state === 'active' ? giveBack(fleet, loan) : loan;
}

beforeAll(async () => {
  simulated = await runScenarios();
  await calmFleet(fleet);
});
beforeEach(() => calm(fleet, borrower));
afterEach(() => fleet.control.clearFaults());

describe('a loan goes through the same states in the simulation and on the emulator', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', async (name, { fault }) => {
    if (fault !== undefined) await fleet.control.addFault(faultOf(fault));
    const since = await overload(fleet, borrower);
    const loan = await ended(await loanIn(fleet, borrower, since, 'active', 'failed', 'compensated'));
    const states = loan.history.map(({ state }) => state);
    expect(statesOf(states)).toEqual(statesOf(simulated.get(name) ?? []));
  });
});
