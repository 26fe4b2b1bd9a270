import { MODEL_NAMES } from '../models/members.ts';

/** Something in the command line or in a file it names is wrong; the message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const CONNECTION = `
Connection:
  --url URL        base URL of the hub's API (output ApiUrl of the hub's stack); default: $ENTANGLE_API_URL
  --region REGION  region of the hub; default: the one in the URL, else $AWS_REGION
  Credentials come from the usual places of the AWS SDKs (environment, profile, SSO, instance role).

  --json           print one JSON object instead of text
  --help           this text
`;

const COMMANDS: Readonly<Record<string, string>> = {
  enrol: `entangle enrol FILE

Enrols the pools of FILE: a JSON object, or a list of them, as PUT /pools takes them. Enrolling grants nothing:
lending and borrowing need a consent.
`,
  consents: `entangle consents get
entangle consents put FILE
entangle consents revoke

Shows, gives (JSON terms, as PUT /consent takes them) or revokes the consent of the calling account. Revoking recalls
the loans made under it.
`,
  loans: `entangle loans [LOAN-ID] [--open]
entangle loans recall LOAN-ID [--reason TEXT]
entangle loans renew LOAN-ID

Lists the loans in which the calling account lends or borrows, or shows one of them; recalls one that it has made; or asks
for a longer term of one that it has. A recall begins at once and takes effect, whatever instances are protected, when the
notice that was promised is over. A renewal is decided as at the end of the term: "entangle loans LOAN-ID" shows it.

  --open           only loans that have not ended
  --reason TEXT    why it is recalled, for its borrower; at most 500 characters
`,
  requests: `entangle requests [list]
entangle requests cancel REQUEST-ID

Lists the requests of the calling account of which a part is open: what is filled, what is missing, the loans that fill it,
and of one that waits its place in the queue, who comes before it and why, and when a lender may have enough. Or cancels
one: what is asked for still ends; loans that were made stay, unless they are less than the consent's borrow.fill says.
`,
  pairings: `entangle pairings [list] [--open]
entangle pairings accept PAIRING-ID
entangle pairings end PAIRING-ID
entangle pairings limit PAIRING-ID [--units N] [--unit-hours H]

Lists the pairings that the hub has proposed between pools of the calling account and of others; accepts one; or declines
or ends one. Loans are made of a pairing once both accounts have accepted it; those that are open when it ends go on.
A consent with pairingAcceptance "standing", which is the default, accepts by itself. Pairings "in circle ci-…" are those
between members of one circle, which a consent joins with maxCircleAccounts. A limit is on what the calling account lends
(as lender) or borrows (as borrower) through one pairing; without options it is taken away. The other party does not see it.

  --open           only pairings that have not ended
  --units N        units at any moment
  --unit-hours H   unit-hours a calendar month (UTC)
`,
  bills: `entangle bills

Shows the ledger of the calling account: what is owed to it (+) and by it (-).
`,
  trust: `entangle trust
entangle trust record --account ACCOUNT --kind KIND --subject LOAN-ID|MONTH [--note TEXT]

Shows how far others can rely on the calling account: the score, its parts (payments, compliance, service) and the newest
evidence of each; or records what has been seen of another account. The same again changes nothing; another kind for the
same subject takes its place, unless the operator of the hub has decided. The account that it is about can read it all.

The last line is the account's credits: unit-hours that it lent more than it borrowed, or borrowed more than it lent.

  --account ACCOUNT  whom it is about; never the calling account
  --kind KIND        of a loan that ended, by its lender or the operator of the hub: payment-settled, payment-late,
                     payment-defaulted, terms-violated; of a month, by the operator alone: audit-clean,
                     audit-finding-minor, audit-finding-major
  --subject SUBJECT  the id of the loan, or the month that was audited, such as 2026-10
  --note TEXT        what happened, at most 500 characters
`,
  audit: `entangle audit verify

Fetches the audit chain of the calling account and checks every record on this machine. Exit code 1 when a record is
altered, missing or out of its place.
`,
  stop: `entangle stop --all|--account ACCOUNT|--pairing PAIRING-ID [--recall] --reason TEXT

No new loan is made from now on: in the whole organisation (by the operator of the hub), with an account (by itself or by
the operator), or of a pairing (by either party). Loans that are open go on, unless --recall. The same command again
changes nothing. Each account concerned gets an audit record.

  --all              all accounts; the calling account is the hub's
  --account ACCOUNT  one account: the calling one, or any for the operator
  --pairing ID       one pairing of the calling account
  --recall           open loans are recalled too, with the notice that was promised
  --reason TEXT      why, at most 500 characters; it stands in the audit records
`,
  resume: `entangle resume --all|--account ACCOUNT|--pairing PAIRING-ID --reason TEXT

Lifts what the caller has stopped with "entangle stop". What others have stopped stays stopped.
`,
  capacity: `entangle capacity [POOL]

Shows for each pool of the calling account, or for one, the units that it lends and borrows, those that it could lend now
for the shortest term of its consent, and those that its partners together could lend it now. POOL is
account/region/group.
`,
  organisation: `entangle organisation [get]
entangle organisation put FILE

Shows the organisation units above the calling account and their limits; for the operator of the hub all units. "put", by
the operator, replaces them by those of FILE: a configuration file with hub.organisation, or a list of units.
`,
  switches: `entangle switches

Shows what is stopped: of the calling account and its pairings; for the operator of the hub, of every account.
`,
  forecast: `entangle forecast --input FILE.csv --horizon STEPS [--season 24,168] [--events FILE[,FILE]] [--threshold X]
                  [--models arima,prophet,lstm] [--plot PAGE.html] [--json]

Forecasts every series of a file on this machine, with the forecaster that plans loans. No hub, no account, no network.

  --input FILE     columns series_id,timestamp,value and any x_NAME, other series at the same times; "-" reads standard
                   input. Timestamps are ISO 8601 in UTC; an empty value, NaN or an infinite one is missing. Rows of one
                   series stand together, in any order of time; of several in one step the last counts. The step is the
                   median distance (an hour when there is one timestamp only). Rows at the end whose value is empty and
                   in which an x_NAME has a number lie ahead: what is known of the time to come.
  --horizon STEPS  slots to forecast, at most 10000
  --season STEPS   steps after which values may repeat themselves. Default: a day and a week
  --events FILES   business events: iCalendar (.ics), or lines of name,start,end[,factor]
  --threshold X    adds the probability that a value is at or above X (a negative one: --threshold=-5)
  --models NAMES   of ${MODEL_NAMES.join(', ')}; default: all. seasonal-naive is always among them
  --plot PAGE      writes a page of charts, of the first 200 series
  --json           JSON Lines, one object a series, instead of a table; docs/forecasting.md describes it
  --schema         print the JSON Schema of such a line and do nothing else
  --help           this text

The files are checked as a whole before anything is printed. Exit code 1: a row is wrong (the line is named), or a series
has no value to forecast from (it is left out). A model that fails is named, and the forecast is made without it. Exit code 2: the command is wrong.
`,
  pair: `entangle pair --input FLEET.json [--partners K] [--borrowers K] [--circles N] [--explain POOL]
              [--plot PAGE.html] [--json]

Plans who of a fleet should lend to whom, on this machine. No hub, no account, no network.

  --input FILE     pools with what they own and need by slot, and what their accounts consent to; "-" reads standard
                   input. --input-schema prints its JSON Schema, docs/pairing.md has an example
  --partners K     lenders of a borrower at most: 1 to 10; a consent may say less. Default: what the file says, else 3
  --borrowers K    borrowers of a lender at most: 1 to 999; a consent may say less. Default: any number
  --circles N      also parts the pools into circles of at most N (2 to 16) whose members all lend to each other
  --explain POOL   every pair that a pool could be part of, with yes or no and why; POOL is account/region/group
  --plot PAGE      writes a page of charts: what is idle, what is short, who serves whom
  --json           one JSON object instead of a table
  --schema         print the JSON Schema of that object and do nothing else
  --input-schema   print the JSON Schema of the input and do nothing else
  --help           this text

The order of the pools in the file changes nothing. A fleet in which nobody can be paired gives an empty plan with the
reason. Exit code 1: the content of the file is wrong (a line for each mistake, with its place). Exit code 2: the command
is wrong, or a file cannot be read or written.
`,
  simulate: `entangle simulate --traces FILE.csv --fleet FLEET.json [--scenario SCENARIO.json] [--seed N]
                  [--plot PAGE.html] [--json]

Replays weeks of demand and says what lending would have done: cover, harm, loans, money, beside no lending, a perfect
forecast, an oracle and one pool for all. No hub, no account, no network.

  --traces FILE      columns pool_id,timestamp,demand_units; "-" reads standard input. pool_id is account/region/group of
                     the fleet, or a group name that only one pool has. Timestamps are ISO 8601 in UTC, evenly spaced,
                     rising within a pool. Gaps of up to an hour take the value before, longer ones are refused
  --fleet FILE       pools with what they own, and what their accounts consent to, as "entangle pair" reads it; need and
                     balance may be left out
  --scenario FILE    what is assumed: durations, limits, risks, who comes first. --scenario-schema prints its JSON Schema
  --seed N           decides which of lenders that have the same to lend comes first. Default: 1
  --plot PAGE        writes a page with charts and tables
  --json             one JSON object instead of tables
  --schema           print the JSON Schema of that object and do nothing else
  --scenario-schema  print the JSON Schema of the scenario and do nothing else
  --help             this text

The first half of the traces, at most four weeks, is learned from and not measured; docs/what-if.md tells what is
simulated and what is not. Exit code 1: the content of a file is wrong (the line or the place is named). Exit code 2: the
command is wrong, or a file cannot be read or written.
`,
};

/** They need no connection to a hub. */
const OFFLINE_COMMANDS: ReadonlySet<string> = new Set(['forecast', 'pair', 'simulate']);

/** The help of a command, or of the whole program. */
export function helpText(command?: string): string {
  const own = command === undefined ? undefined : COMMANDS[command];
  if (command !== undefined && OFFLINE_COMMANDS.has(command)) return own ?? '';
  if (own !== undefined) return `${own}${CONNECTION}`;
  const names = Object.keys(COMMANDS).join(', ');
  return `entangle COMMAND [options]\n\nCommands: ${names}\nentangle COMMAND --help tells more.\n${CONNECTION}`;
}

export function isCommand(name: string): boolean {
  return Object.hasOwn(COMMANDS, name);
}

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);
