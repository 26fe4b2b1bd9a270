import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Loan } from '../../core/lending/loan.ts';
import { fillOf } from '../../core/lending/queue.ts';
import type { EpochMillis } from '../../core/units.ts';
import { partIdFor } from './ids.ts';
import { loansById } from './loan-store.ts';
import { resumeRequest, startReturn } from './starts.ts';

/** Where requests are kept, and what makes and ends their parts. */
export interface RequestRoute {
  readonly loansTable: string;
  readonly stepFunctions: SFNClient;
  readonly borrowMachineArn: string;
  readonly returnMachineArn: string;
}

/** Parts that are read at once: most needs have one or two. */
const PARTS_AT_ONCE = 4;
const SWEEP_MILLIS = 60_000;

/** All loans that fill the same need as this one, first to last. */
export async function partsOf(table: string, loan: Loan): Promise<Loan[]> {
  const requestId = loan.request?.requestId;
  if (requestId === undefined) return [loan];
  const parts: Loan[] = [];
  for (let first = 1; ; first += PARTS_AT_ONCE) {
    const numbers = Array.from({ length: PARTS_AT_ONCE }, (_, index) => first + index);
    const ids = numbers.map((part) => (part === 1 ? requestId : partIdFor(requestId, part)));
    const found = await loansById(table, ids);
    parts.push(...found);
    if (found.length < PARTS_AT_ONCE) break;
  }
  return parts.sort((a, b) => (a.request?.part ?? 1) - (b.request?.part ?? 1));
}

/** Starts the part that asks for what this one has left missing. @returns its id */
export async function startRest(loan: Loan, route: RequestRoute): Promise<string[]> {
  const { request } = loan;
  if (request === undefined) return [];
  const [rest] = await loansById(route.loansTable, [partIdFor(request.requestId, request.part + 1)]);
  if (rest?.state !== 'requested') return [];
  await resumeRequest(route.stepFunctions, route.borrowMachineArn, rest, '0');
  return [rest.loanId];
}

/** Gives back the parts of a need that came to less than its borrower finds worth having. @returns their ids */
export async function giveBackTooLittle(
  loan: Loan,
  route: Pick<RequestRoute, 'loansTable' | 'stepFunctions' | 'returnMachineArn'>,
): Promise<string[]> {
  const parts = await partsOf(route.loansTable, loan);
  if (parts.length < 2 || fillOf(parts) !== 'below-minimum') return [];
  const kept = parts.filter(({ state }) => state === 'active');
  for (const part of kept) await startReturn(route.stepFunctions, route.returnMachineArn, part, 'below-minimum');
  return kept.map(({ loanId }) => loanId);
}

/**
 * What an event or a crash has left behind of some open loans' requests: parts that nobody started, requests that wait and may have
 * come to their turn or to the end of their time, and parts that came to too little.
 */
export async function sweepRequests(loans: readonly Loan[], at: EpochMillis, route: RequestRoute): Promise<number> {
  let swept = 0;
  for (const loan of loans) {
    const { state, request, units } = loan;
    if (state === 'waiting') {
      const occasion = `sweep-${Math.floor(at / SWEEP_MILLIS)}`;
      if (await resumeRequest(route.stepFunctions, route.borrowMachineArn, loan, occasion)) swept += 1;
    } else if (state === 'requested' && (request?.part ?? 1) > 1) {
      if (await resumeRequest(route.stepFunctions, route.borrowMachineArn, loan, '0')) swept += 1;
    } else if (state === 'active' && units < (request?.minimumUnits ?? 0)) {
      swept += (await giveBackTooLittle(loan, route)).length;
    }
  }
  return swept;
}
