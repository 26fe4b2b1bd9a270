import type { FunctionName } from '../../infra/names.ts';
import { HUB_ACCOUNT } from './support.ts';

// What each function may do, as `action on resource`; resources by the names that the tests give them.

const LOGS = ['logs:CreateLogStream on Logs', 'logs:PutLogEvents on Logs'];
// The variables of a function are encrypted, and whatever it keeps.
const KEY = ['kms:Decrypt on DataKey'];
const TABLE_KEY = ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'].map(
  (action) => `kms:${action} on DataKey`,
);
export const EVENTS_KEY = ['kms:Decrypt on DataKey', 'kms:GenerateDataKey on DataKey'];
const DEAD_LETTERS = ['sqs:SendMessage on DeadLetters'];
const read = (table: string): string[] =>
  ['BatchGetItem', 'GetItem', 'Query'].map((action) => `dynamodb:${action} on ${table}`);
const change = (table: string): string[] => [
  ...read(table),
  ...['ConditionCheckItem', 'PutItem', 'UpdateItem'].map((action) => `dynamodb:${action} on ${table}`),
];
const lookUp = (table: string): string[] => [`dynamodb:GetItem on ${table}`, `dynamodb:Query on ${table}`];
const put = (table: string): string[] => [`dynamodb:PutItem on ${table}`];
const list = (table: string, ...indexes: string[]): string[] =>
  indexes.flatMap((index) => ['Query', 'Scan'].map((action) => `dynamodb:${action} on ${table}/index/${index}`));
const POOLS = list('accounts', 'pools-by-bucket');
const LOANS = [...read('loans'), ...list('loans', 'by-borrower', 'by-lender', 'open')];
const CHANGE_LOAN = [...change('accounts'), ...change('loans'), ...put('audit'), ...TABLE_KEY];
/** Starting one of the workflows. */
export const start = (kind: string): string[] => [`states:StartExecution on stateMachine:entangle-${kind}`];
const assume = (kind: string): string[] => [`sts:AssumeRole on role/Entangle${kind}-${HUB_ACCOUNT}-*`];
const schedule = (action: string): string => `scheduler:${action} on schedule/entangle-loans/*`;
const CHANGE_PAIRINGS = [
  ...change('accounts'),
  ...put('audit'),
  'events:PutEvents on event-bus/entangle',
  'dynamodb:DeleteItem on accounts',
];
const HISTORY_READ = ['s3:GetObject on entangle-history-111111111111-us-east-1/history/*', 's3:ListBucket on History'];
const HISTORY_WRITE = ['s3:PutObject on entangle-history-111111111111-us-east-1/history/*'];

const FORECASTS_READ = HISTORY_READ.map((grant) => grant.replace('/history/', '/forecasts/'));
const FORECASTS_WRITE = HISTORY_WRITE.map((grant) => grant.replace('/history/', '/forecasts/'));

export const PLAN_LISTS_READ = 's3:GetObject on entangle-history-111111111111-us-east-1/plans/*';
const PLAN_LISTS_WRITE = PLAN_LISTS_READ.replace('GetObject', 'PutObject');

const GRANTS: Record<FunctionName, string[]> = {
  'on-alarm': [...start('borrow'), ...EVENTS_KEY, ...DEAD_LETTERS],
  'on-recovery': [
    ...read('accounts'),
    ...LOANS,
    ...start('return'),
    ...assume('Observe'),
    ...TABLE_KEY,
    ...DEAD_LETTERS,
  ],
  assess: [...CHANGE_LOAN, ...CHANGE_PAIRINGS, ...LOANS, ...start('return'), ...assume('Observe')],
  choose: [...CHANGE_LOAN, ...assume('Observe')],
  reserve: [...CHANGE_LOAN, ...put('ledger')],
  'move-ceiling': [...CHANGE_LOAN, ...assume('Adjust')],
  activate: [
    ...CHANGE_LOAN,
    ...assume('Observe'),
    schedule('CreateSchedule'),
    schedule('GetSchedule'),
    'iam:PassRole on LoanSchedulesRole',
  ],
  settle: [...CHANGE_LOAN, ...put('ledger'), schedule('DeleteSchedule')],
  renew: [
    ...CHANGE_LOAN,
    ...CHANGE_PAIRINGS,
    ...put('ledger'),
    ...assume('Observe'),
    schedule('CreateSchedule'),
    schedule('GetSchedule'),
    schedule('DeleteSchedule'),
    'iam:PassRole on LoanSchedulesRole',
  ],
  'serve-queue': [...CHANGE_LOAN, ...CHANGE_PAIRINGS, ...LOANS, ...start('borrow'), ...start('return')],
  'list-pools': [...POOLS, PLAN_LISTS_WRITE, ...TABLE_KEY],
  collect: [
    ...change('accounts'),
    ...put('audit'),
    ...HISTORY_READ,
    ...HISTORY_WRITE,
    ...assume('Observe'),
    ...TABLE_KEY,
  ],
  forecast: [
    ...read('accounts'),
    ...put('accounts'),
    ...HISTORY_READ,
    ...FORECASTS_READ,
    ...FORECASTS_WRITE,
    ...TABLE_KEY,
  ],
  'judge-pairings': [
    ...read('accounts'),
    ...put('accounts'),
    ...HISTORY_READ,
    ...HISTORY_READ.map((grant) => grant.replace('/history/', '/predictions/')),
    ...TABLE_KEY,
  ],
  pair: [
    ...CHANGE_PAIRINGS,
    ...POOLS,
    PLAN_LISTS_READ,
    ...HISTORY_WRITE.map((grant) => grant.replace('/history/', '/predictions/')),
    ...TABLE_KEY,
  ],
  'look-ahead': [
    ...CHANGE_PAIRINGS,
    ...CHANGE_LOAN,
    ...POOLS,
    ...LOANS,
    ...FORECASTS_READ,
    ...HISTORY_READ,
    PLAN_LISTS_READ,
    ...start('borrow'),
    ...start('plan'),
    ...start('return'),
    ...assume('Observe'),
    ...TABLE_KEY,
    ...DEAD_LETTERS,
  ],
  'measure-capacity': [
    ...read('accounts'),
    ...read('loans'),
    ...POOLS,
    ...assume('Observe'),
    ...TABLE_KEY,
    ...DEAD_LETTERS,
  ],
  reconcile: [
    ...CHANGE_PAIRINGS,
    ...CHANGE_LOAN,
    ...POOLS,
    ...LOANS,
    ...lookUp('audit'),
    ...start('borrow'),
    ...start('return'),
    ...assume('Observe'),
    ...TABLE_KEY,
    ...DEAD_LETTERS,
  ],
  api: [
    ...CHANGE_PAIRINGS,
    ...change('loans'),
    ...POOLS,
    ...LOANS,
    ...lookUp('ledger'),
    ...lookUp('audit'),
    ...start('borrow'),
    ...start('return'),
    ...assume('Observe'),
    ...TABLE_KEY,
  ],
};

/** Each once, in the order of their text. */
export function inOrder(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort((a, b) => (a < b ? -1 : 1));
}

/** All that the function may do. */
export function expectedGrants(name: FunctionName): string[] {
  return inOrder([...GRANTS[name], ...LOGS, ...KEY]);
}
