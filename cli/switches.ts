import type { AccountId } from '../core/units.ts';
import type { Output, SwitchFlags } from './commands.ts';
import type { HubApi, Switches, SwitchTarget } from './hub-api.ts';
import { UsageError } from './usage.ts';

const TARGET_USAGE = '--all, --account ACCOUNT or --pairing PAIRING-ID, and --reason TEXT';

function targetOf({ all, account, pairing }: SwitchFlags): SwitchTarget | undefined {
  const targets = [
    ...(all === true ? [{ all: true } as const] : []),
    // The hub checks the account and the pairing.
    ...(account === undefined ? [] : [{ accountId: account as AccountId }]),
    ...(pairing === undefined ? [] : [{ pairingId: pairing }]),
  ];
  return targets.length === 1 ? targets[0] : undefined;
}

function asked(command: 'stop' | 'resume', args: readonly string[], flags: SwitchFlags) {
  const target = targetOf(flags);
  const { reason } = flags;
  if (args.length > 0 || target === undefined || reason === undefined || reason.trim() === '') {
    throw new UsageError(`expected: entangle ${command} with one of ${TARGET_USAGE}`);
  }
  return { ...target, reason };
}

function targetText(target: SwitchTarget): string {
  if ('all' in target) return 'all accounts';
  return 'accountId' in target ? `account ${target.accountId}` : `pairing ${target.pairingId}`;
}

/** Requests that one command makes: each recalls hundreds of loans. */
const REQUESTS_MAX = 20;

/**
 * `entangle stop`: no new loans, and where asked the open ones recalled. A request that has no time for all of them is made again, as
 * long as that gets further.
 */
export async function stop(api: HubApi, args: readonly string[], flags: SwitchFlags): Promise<Output> {
  const wanted = asked('stop', args, flags);
  const recall = flags.recall === true;
  const text = `${targetText(wanted)}: no new loans from now on`;
  let last = await api.stop({ ...wanted, recall });
  const recalled = new Set(last.recalled);
  for (let requests = 1; last.left > 0 && last.recalled.length > 0 && requests < REQUESTS_MAX; requests += 1) {
    last = await api.stop({ ...wanted, recall });
    for (const id of last.recalled) recalled.add(id);
  }
  const json = { ...last.answer, recalled: [...recalled].sort() };
  if (!recall) return { json, text };
  const rest = last.left === 0 ? '' : `; ${last.left} more are recalled within a minute, by reconciling`;
  return { json, text: `${text}; loans recalled: ${json.recalled.join(', ') || 'none'}${rest}` };
}

/** `entangle resume`: lifts what the caller has stopped. */
export async function resume(api: HubApi, args: readonly string[], flags: SwitchFlags): Promise<Output> {
  if (flags.recall === true) throw new UsageError('--recall: only "entangle stop" takes it');
  const wanted = asked('resume', args, flags);
  return { json: await api.resume(wanted), text: `${targetText(wanted)}: the stop is lifted` };
}

function switchLines({ organisation, accounts, pairings }: Switches): string[] {
  const at = (stop: { readonly at: number; readonly recall: boolean }): string =>
    `since ${new Date(stop.at).toISOString()}${stop.recall ? ', loans recalled' : ''}`;
  return [
    ...(organisation === null ? [] : [`all accounts  ${at(organisation)}  ${organisation.reason}`]),
    ...accounts.flatMap(({ accountId, ...stops }) =>
      Object.entries(stops).map(([by, each]) => `account ${accountId}  by ${by}  ${at(each)}  ${each.reason}`),
    ),
    ...pairings.flatMap(({ pairingId, stops }) =>
      stops.map((each) => `pairing ${pairingId}  by ${each.accountId}  ${at(each)}  ${each.reason ?? ''}`.trimEnd()),
    ),
  ];
}

/** `entangle switches`: what is stopped now. */
export async function switches(api: HubApi, args: readonly string[]): Promise<Output> {
  if (args.length > 0) throw new UsageError('expected: entangle switches');
  const found = await api.switches();
  return { json: found, text: switchLines(found).join('\n') || 'nothing is stopped' };
}
