import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chainFaults } from '../cli/verify-chain.ts';
import type { PoolSpec } from '../core/pool.ts';
import type { Emulator } from '../emulator/emulator.ts';
import { poolSpecs } from '../infra/config.ts';
import type { Deployment } from '../infra/deploy.ts';
import { deployAll } from '../infra/deploy.ts';
import type { StoryAccount } from './accounts.ts';
import { describeConsent, storyConfig, storyConsent } from './accounts.ts';
import { accountCloud } from './cloud.ts';
import { accountApi, runPlan } from './hub.ts';
import { accountName } from './live.ts';
import type { Progress } from './progress.ts';
import type { Player, Recording } from './replay.ts';
import { replayHours } from './replay.ts';
import type { AccountFacts, StoryResult } from './result.ts';
import { neededUnits, SIZING } from './sizing.ts';
import type { TimeScale } from './time-scale.ts';
import { samplesPerDay } from './time-scale.ts';
import type { Window } from './traces.ts';
import type { PastStep } from './workload.ts';
import { simulateHistory, utilisation } from './workload.ts';

/** Everything that is fixed before anything is started. */
export interface StoryPlan {
  readonly accounts: readonly StoryAccount[];
  readonly scale: TimeScale;
  readonly window: Window;
  readonly builtIn: boolean;
  /** Folder for the configuration, the assemblies and the logs of this run. */
  readonly folder: string;
}

/** Time for the history to be put before the replay begins where it ends. */
const LOADING_SECONDS = 5;

interface Stage {
  readonly plan: StoryPlan;
  readonly emulator: Emulator;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly pasts: readonly (readonly PastStep[])[];
}

async function deploy(stage: Stage): Promise<{ deployment: Deployment; specs: PoolSpec[] }> {
  const { plan, emulator, progress, signal } = stage;
  const config = storyConfig(plan.accounts, plan.scale);
  const specs = poolSpecs(config);
  mkdirSync(plan.folder, { recursive: true });
  const configPath = join(plan.folder, 'entangle.json');
  writeFileSync(configPath, JSON.stringify(config, null, 2));
  const samples = specs.map((spec, index) => {
    const sizing = plan.accounts[index]?.sizing;
    const desired = stage.pasts[index]?.at(-1)?.inServiceUnits;
    const sizes = {
      minSize: sizing?.floorUnits ?? 1,
      desiredCapacity: desired ?? 1,
      maxSize: sizing?.ceilingUnits ?? 1,
    };
    return [spec.poolId, sizes] as const;
  });
  const deployment = await progress.step('deploying the hub and the linked accounts with cdk', () =>
    deployAll({
      configPath,
      endpoint: emulator.endpoint,
      samples: Object.fromEntries(samples),
      outdir: plan.folder,
      onProgress: (message) => progress.say(`  ${message}`),
      signal,
    }),
  );
  progress.say(`  the hub's API: ${deployment.apiUrl}`);
  return { deployment, specs };
}

async function enrolAll(stage: Stage, players: readonly Player[], specs: readonly PoolSpec[]): Promise<void> {
  const { plan, progress } = stage;
  await progress.step('enrolling the groups, and giving consent, each by its own account', () =>
    Promise.all(
      players.map(async ({ api, account }, index) => {
        const spec = specs[index];
        if (spec === undefined) throw new Error(`${account.name} has no pool`);
        const pool = await api.enrol(spec);
        const consent = await api.giveConsent(storyConsent(account, plan.scale));
        progress.say(`  ${account.name}: ${pool.ownedUnits} units enrolled, consent version ${consent.version}`);
      }),
    ),
  );
  progress.say(`  ${describeConsent(plan.scale)}`);
}

/** Puts the history so that it ends where the replay begins; answers that moment. */
async function loadHistory(stage: Stage, players: readonly Player[]): Promise<number> {
  const { plan, progress } = stage;
  const { stepSeconds } = plan.scale;
  const stepMillis = stepSeconds * 1_000;
  const startMillis = Math.ceil((Date.now() + LOADING_SECONDS * 1_000) / stepMillis) * stepMillis;
  await progress.step(`loading ${plan.window.historySteps} samples of history for each account into CloudWatch`, () =>
    Promise.all(
      players.map(({ cloud }, index) => {
        const past = stage.pasts[index] ?? [];
        const measurements = past.map(({ demand, inServiceUnits }, step) => ({
          atMillis: startMillis - (past.length - step) * stepMillis,
          inServiceUnits,
          percent: utilisation(demand, inServiceUnits),
        }));
        return cloud.publish(measurements, stepSeconds);
      }),
    ),
  );
  return startMillis;
}

/** Collects, forecasts and pairs while the replay is already running, and says who may turn to whom. */
async function planPairs(stage: Stage, deployment: Deployment, players: readonly Player[]): Promise<void> {
  const { plan, emulator, progress, signal } = stage;
  const stateMachine = deployment.hub['PlanStateMachineArn'] ?? '';
  await progress.step('collecting, forecasting and pairing', () => runPlan(emulator.endpoint, stateMachine, signal));
  for (const { api, account } of players) {
    const partners = (await api.plans()).flatMap((planned) => planned.partners);
    const names = partners.map(
      (partner) =>
        `${accountName(plan.accounts, partner.lenderAccountId)} (confidence ${partner.confidence?.toFixed(2) ?? 'not shown'})`,
    );
    progress.say(`  ${account.name} may borrow from ${names.join(', ') || 'nobody'}`);
  }
}

async function accountFacts(stage: Stage, player: Player, index: number, ceilingBefore: number): Promise<AccountFacts> {
  const { account, api, cloud } = player;
  const [bills, audit, group, plans] = await Promise.all([api.bills(), api.audit(), cloud.group(), api.plans()]);
  const plan = plans.find(({ poolId }) => poolId.endsWith(`/${account.groupName}`));
  const lastDay = (stage.pasts[index] ?? []).slice(-samplesPerDay(stage.plan.scale));
  return {
    name: account.name,
    accountId: account.accountId,
    groupName: account.groupName,
    source: account.trace.source,
    cleaning: account.trace.cleaning,
    ceilingBefore,
    ceilingAfter: group.maxSize,
    pendingMicroUsd: bills.balance.pendingMicroUsd,
    postedMicroUsd: bills.balance.postedMicroUsd,
    auditRecords: audit.records.length,
    auditFaults: chainFaults(audit.records, audit.head),
    lastDayNeededUnits: lastDay.map(({ demand }) => neededUnits(demand, SIZING.targetPercent)),
    ...(plan === undefined ? {} : { plan }),
  };
}

async function play(stage: Stage, deployment: Deployment, players: readonly Player[]): Promise<Recording> {
  const { plan, progress } = stage;
  const startMillis = await loadHistory(stage, players);
  progress.say(
    `replaying ${plan.window.replaySteps} samples through CloudWatch: instances in service / ceiling at CPU utilisation`,
  );
  // Either failure ends both.
  const failed = new AbortController();
  const signal = AbortSignal.any([stage.signal, failed.signal]);
  const both = [
    planPairs({ ...stage, signal }, deployment, players),
    replayHours({ players, scale: plan.scale, window: plan.window, startMillis, progress, signal }),
  ] as const;
  try {
    const [, recording] = await Promise.all(both);
    return recording;
  } catch (error) {
    failed.abort();
    await Promise.allSettled(both);
    throw error;
  }
}

/** Plays the whole story on a running emulator. */
export async function playStory(
  plan: StoryPlan,
  emulator: Emulator,
  progress: Progress,
  signal: AbortSignal,
): Promise<StoryResult> {
  const startedAt = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const pasts = plan.accounts.map(({ trace, sizing }) =>
    simulateHistory(trace.utilisation, sizing, plan.window.historySteps),
  );
  const stage = { plan, emulator, progress, signal, pasts };
  const { deployment, specs } = await deploy(stage);
  const players = plan.accounts.flatMap((account, index) => {
    const spec = specs[index];
    if (spec === undefined) return [];
    return [
      { account, cloud: accountCloud(spec, emulator.endpoint), api: accountApi(deployment.apiUrl, account.accountId) },
    ];
  });
  try {
    await enrolAll(stage, players, specs);
    const before = await Promise.all(players.map(({ cloud }) => cloud.group()));
    const recording = await play(stage, deployment, players);
    const facts = await progress.step('reading bills, audit chains and ceilings', () =>
      Promise.all(players.map((player, index) => accountFacts(stage, player, index, before[index]?.maxSize ?? 0))),
    );
    return {
      startedAt,
      scale: plan.scale,
      historySteps: plan.window.historySteps,
      accounts: facts,
      ...recording,
      seconds: progress.seconds(),
      builtIn: plan.builtIn,
    };
  } finally {
    for (const { cloud } of players) cloud.close();
  }
}
