import type { ConsentTerms } from '../core/consent/consent.ts';
import { UNRESTRICTED } from '../core/consent/consent.ts';
import type { AccountId } from '../core/units.ts';
import { accountId, microUsd, RESOURCE_TYPES } from '../core/units.ts';
import { parseConfig } from '../infra/config.ts';
import type { Config } from '../infra/config-schema.ts';
import type { Sizing } from './sizing.ts';
import { burstiness, SIZING, sizeGroup, sliceSteps } from './sizing.ts';
import { highest } from './statistics.ts';
import type { TimeScale } from './time-scale.ts';
import { alarmPeriodSeconds, clockSeconds, samplesPerDay, speedUp } from './time-scale.ts';
import type { Trace, Window } from './traces.ts';

export const REGION = 'us-east-1';
export const HUB_ACCOUNT = accountId('999999999999');

/** One account of the story: its trace, and the group that was sized from the trace's history. */
export interface StoryAccount {
  readonly name: string;
  readonly accountId: AccountId;
  readonly groupName: string;
  readonly trace: Trace;
  readonly sizing: Sizing;
}

/** Ceilings of the built-in accounts: a small one that will need help, and two larger neighbours. */
const CEILING_UNITS: Readonly<Record<string, number>> = { alibaba: 20, google: 60, azure: 40 };
/** Ceiling of every account that is read from a file of the user's. */
const USER_CEILING_UNITS = 40;

const ON_DEMAND_USD_PER_UNIT_HOUR = 0.096;
const LEAST_PRICE_USD = 0.03;
const HIGHEST_PRICE_USD = 0.08;
const SHORTEST_TERM_HOURS = 1;
const LONGEST_TERM_HOURS = 3;
const COOL_DOWN_MINUTES = 30;
const RECALL_NOTICE_MINUTES = 15;
const SECONDS_PER_HOUR = 3_600;
const SECONDS_PER_MINUTE = 60;
const RESERVE_UNITS = 1;
/** Two periods in a row: one noisy sample is no bottleneck. */
const ALARM_PERIODS = 2;
const USD = 1_000_000;

/** The accounts of the traces, sized by the history only. */
export function storyAccounts(traces: readonly Trace[], window: Window, builtIn: boolean): StoryAccount[] {
  const histories = traces.map((trace) => sliceSteps(trace.utilisation, 0, window.historySteps));
  const bursts = histories.map(burstiness);
  const burstiest = bursts.indexOf(highest(bursts));
  return traces.map((trace, index) => {
    const ceilingUnits = (builtIn ? CEILING_UNITS[trace.name] : undefined) ?? USER_CEILING_UNITS;
    return {
      name: trace.name,
      accountId: accountId(String(index + 1).repeat(12)),
      groupName: `${trace.name}-workload`,
      trace,
      sizing: sizeGroup(histories[index] ?? { cpu: [] }, ceilingUnits, index === burstiest ? 'tight' : 'generous'),
    };
  });
}

/** The configuration file of the story, as `cdk deploy` reads it. */
export function storyConfig(accounts: readonly StoryAccount[], scale: TimeScale): Config {
  return parseConfig({
    hub: { accountId: HUB_ACCOUNT, region: REGION, externalId: 'entangle-story' },
    linkedAccounts: accounts.map((account) => ({
      accountId: account.accountId,
      name: account.name,
      region: REGION,
      pools: [poolOf(account, scale)],
    })),
  });
}

function poolOf(account: StoryAccount, scale: TimeScale): Record<string, unknown> {
  const { thresholdPercent, recoveryPercent } = SIZING;
  const measured = RESOURCE_TYPES.filter((type) => account.sizing.unitsPerPercent[type] !== undefined);
  return {
    groupName: account.groupName,
    application: account.name,
    azIds: ['use1-az1'],
    instanceType: 'm7g.large',
    networkGbps: 0.937,
    commitments: [],
    reserveUnits: RESERVE_UNITS,
    provisioningLimitUnits: 0,
    onDemandUsdPerUnitHour: ON_DEMAND_USD_PER_UNIT_HOUR * speedUp(scale),
    historyStepSeconds: scale.stepSeconds,
    seasonSteps: [samplesPerDay(scale)],
    coolDownSeconds: clockSeconds(scale, COOL_DOWN_MINUTES * SECONDS_PER_MINUTE),
    alarm: { periodSeconds: alarmPeriodSeconds(scale), evaluationPeriods: ALARM_PERIODS },
    resources: Object.fromEntries(measured.map((type) => [type, { thresholdPercent, recoveryPercent }])),
  };
}

/** What each account agrees to, the same for all: to lend and to borrow, for up to three hours of the trace. */
export function storyConsent(account: StoryAccount, scale: TimeScale): ConsentTerms {
  const price = (usd: number) => microUsd(Math.round(usd * USD * speedUp(scale)));
  const limits = {
    maxUnits: account.sizing.ceilingUnits,
    maxSharePercent: 50,
    maxUnitHoursPerMonth: account.sizing.ceilingUnits * 24,
  };
  const noticeSeconds = clockSeconds(scale, RECALL_NOTICE_MINUTES * SECONDS_PER_MINUTE);
  return {
    lend: { ...limits, minPriceMicroUsdPerUnitHour: price(LEAST_PRICE_USD), recallNoticeSeconds: noticeSeconds },
    borrow: { ...limits, maxPriceMicroUsdPerUnitHour: price(HIGHEST_PRICE_USD), minRecallNoticeSeconds: noticeSeconds },
    ...UNRESTRICTED,
    dataAccess: 'metrics-only',
    maxLatencyMillis: 100,
    shortestTermSeconds: clockSeconds(scale, SHORTEST_TERM_HOURS * SECONDS_PER_HOUR),
    longestTermSeconds: clockSeconds(scale, LONGEST_TERM_HOURS * SECONDS_PER_HOUR),
    whenNoPartner: 'refuse',
  };
}

/** The consent in sentences, as it is printed. */
export function describeConsent(scale: TimeScale): string {
  return (
    `Each account agrees to lend (from ${LEAST_PRICE_USD} USD per unit-hour) and to borrow (up to ${HIGHEST_PRICE_USD} USD) ` +
    `for ${SHORTEST_TERM_HOURS} to ${LONGEST_TERM_HOURS} hours of the trace (${clockSeconds(scale, LONGEST_TERM_HOURS * SECONDS_PER_HOUR)} s here), at most half of its ceiling.`
  );
}
