/** What worlds have come to: which functions, states and refusals occurred at all, so that nothing is left out unseen. */
import type { Loan } from '../../core/lending/loan.ts';
import { LOAN_STATES, RECALLERS } from '../../core/lending/loan.ts';
import { FUNCTION_NAMES, STATE_MACHINE_KINDS } from '../../infra/names.ts';
import type { Machine } from './workflow/definition.ts';
import { readMachine } from './workflow/definition.ts';
import type { World } from './world.ts';

/** What is drawn of the reasons of loans, by what the sentence says. */
const REFUSALS: readonly (readonly [kind: string, sentence: RegExp])[] = [
  ['alarm has recovered', /^the alarm is in \w+ by now/],
  ['group not tagged', /is not tagged entangle:lending=enabled/],
  ['pool cools down', /^the pool cools down until/],
  ['own consent does not let it borrow', /^(borrow|consent|status|validUntil|windows)\b.*: /],
  ['own units come back', /of what it has lent \d+ come back in time/],
  ['another request of the pool waits', /waits for .* already$/],
  ['another loan has brought it', /^another loan has brought what was needed/],
  ['too many attempts', /^nothing could be reserved in/],
  ['need gone while it waited', /^it waited until its need was gone/],
  ['waited too long', /which is as long as it was to/],
  ['group deleted while it waited', /its Auto Scaling group does not exist any more/],
  ['account stopped', /is stopped: no new loans/],
  ['organisation stopped', /^lending is stopped for all accounts|: lending is stopped for all accounts/],
  ['ceiling raised by a policy', /may raise MaxSize by itself/],
  ['vCPU quota', /the vCPU quota of/],
  ['vCPU quota at the launch', /^QuotaExceeded/],
  ['no partner planned', /no partner is planned/],
  ['partner paused', /the pairing is paused/],
  ['partner ended', /the pairing has ended/],
  ['partner unreadable', /its account could not be read/],
  ['partner group gone', /its Auto Scaling group does not exist$/],
  ['partner not idle', /it cannot lend .* now/],
  ['held for requests that come first', /besides what requests that come first/],
  ['partner cools down', /it has recalled its units and lends none until/],
  ['pair cools down', /a loan between the two was recalled/],
  ['no common term', /no term suits both consents/],
  ['limit of a pool', /limit of pool .* is reached/],
  ['limit of a pairing', /limit of pairing .* is reached/],
  ['limit of an organisation unit', /limit of organisation unit .* is reached/],
  ['consent: direction', /\(.*direction-not-agreed/],
  ['consent: counterparty', /\(.*counterparty-denied/],
  ['consent: units', /\(.*units-exceeded/],
  ['consent: share', /\(.*share-exceeded/],
  ['consent: unit-hours', /\(.*unit-hours-exceeded/],
  ['consent: price', /\(.*price-too-(low|high)/],
  ['consent: notice', /\(.*recall-notice-too-short/],
  ['consent: revoked', /\(.*consent-revoked/],
  ['lender needs it after all', /^LenderNeedsCapacity/],
  ['foreign change', /^ForeignChange/],
  ['no reservation to lend', /^CannotLend/],
  ['group launches into no reservation', /^CannotBorrow/],
  ['instances did not come', /^InstancesPending/],
  ['reservation did not come', /^ReservationPending/],
];
/** Why a term ends as it was agreed. */
const TERM_ENDS: readonly (readonly [kind: string, sentence: RegExp])[] = [
  ['no lender', /^a loan without a lender/],
  ['not needed', /^it is no longer needed/],
  ['longest term', /is the longest that both consents cover$/],
  ['not renewable', /is not renewable$/],
  ['not covered', /does not cover a longer term$/],
  ['lender not sure', /^the lender is not sure/],
  ['changes just now', /^it changes just now/],
];
const KINDS = ['nominal', 'physical', 'provisioned'];
const RETURNS = [
  'expired',
  'recovered',
  'recalled',
  'revoked',
  'requested-by-owner',
  'below-minimum',
  'repair',
  'step-failed',
];
const STARTS = ['alarm', 'forecast', 'trend', 'anomaly'];
/** Stand-ins take their place. */
const NOT_RUN = new Set(['collect', 'forecast']);

function statesOf({ States }: Machine): string[] {
  return Object.entries(States).flatMap(([name, state]) => {
    const inner = [state['ItemProcessor'], ...((state['Branches'] as unknown[] | undefined) ?? [])];
    return [name, ...inner.flatMap((each) => (each === undefined ? [] : statesOf(each as Machine)))];
  });
}

/** All that could occur, in the order in which it is shown. */
export function everything(): string[] {
  return [
    ...FUNCTION_NAMES.filter((name) => !NOT_RUN.has(name)).map((name) => `function ${name}`),
    ...STATE_MACHINE_KINDS.flatMap((kind) => statesOf(readMachine(kind)).map((state) => `state ${kind}/${state}`)),
    ...LOAN_STATES.map((state) => `loan ${state}`),
    ...KINDS.map((kind) => `kind ${kind}`),
    ...STARTS.map((start) => `asked for by ${start}`),
    ...RETURNS.map((reason) => `return ${reason}`),
    ...RECALLERS.map((by) => `recall ${by}`),
    'renewal',
    'second renewal',
    ...TERM_ENDS.map(([kind]) => `no renewal: ${kind}`),
    'several lenders for one need',
    ...REFUSALS.map(([kind]) => `reason ${kind}`),
  ];
}

function startOf({ watchNeed, forecastNeed }: Loan): string {
  if (watchNeed !== undefined) return watchNeed.kind;
  return forecastNeed === undefined ? 'alarm' : 'forecast';
}

function seenOf(loan: Loan): string[] {
  const { history, kind, returnReason, recall, renewals = [], request, endDetail, reasons } = loan;
  const texts = [...(endDetail === undefined ? [] : [endDetail]), ...reasons.map(({ text }) => text)];
  const wasMade = history.some(({ state }) => state === 'reserved');
  return [
    ...history.map(({ state }) => `loan ${state}`),
    ...(wasMade ? [`kind ${kind}`, `asked for by ${startOf(loan)}`] : []),
    ...(returnReason === undefined ? [] : [`return ${returnReason}`]),
    ...(recall === undefined ? [] : [`recall ${recall.by}`]),
    ...(renewals.length > 0 ? ['renewal'] : []),
    ...(renewals.length > 1 ? ['second renewal'] : []),
    ...(wasMade && (request?.part ?? 1) > 1 ? ['several lenders for one need'] : []),
    ...REFUSALS.flatMap(([name, sentence]) => (texts.some((text) => sentence.test(text)) ? [`reason ${name}`] : [])),
  ];
}

/** All that has occurred in a world. */
export function coveredBy(world: World): string[] {
  const loans = [...world.tables.all('entangle-loans')] as unknown as Loan[];
  const ends = TERM_ENDS.filter(([, sentence]) => [...world.termAnswers].some((answer) => sentence.test(answer)));
  return [...new Set([...world.entered, ...loans.flatMap(seenOf), ...ends.map(([kind]) => `no renewal: ${kind}`)])];
}

/** A table of how many worlds came to each, and what none did. */
export function coverageLines(seeds: ReadonlyMap<string, number>): string[] {
  const all = everything();
  const never = all.filter((name) => !seeds.has(name));
  return [
    '| what | worlds |',
    '| --- | --- |',
    ...all.map((name) => `| ${name} | ${seeds.get(name) ?? 0} |`),
    `${all.length - never.length} of ${all.length} occurred; never: ${never.length === 0 ? 'nothing' : never.join(', ')}`,
  ];
}
