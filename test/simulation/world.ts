/** One world: everything of AWS that the product touches, in memory, with the shipped functions and workflows running in it. */
import type { PoolForecast } from '../../core/forecast/pool-forecast.ts';
import type { Loan } from '../../core/lending/loan.ts';
import type { PoolId } from '../../core/units.ts';
import { forecastKey } from '../../functions/adapters/keys.ts';
import { Alarms } from './aws/alarms.ts';
import { Endpoint } from './aws/endpoint.ts';
import { Reservations } from './aws/reservations.ts';
import { ResourceShares } from './aws/resource-shares.ts';
import type { Group } from './aws/scaling-groups.ts';
import { ScalingGroups } from './aws/scaling-groups.ts';
import { Schedules } from './aws/schedules.ts';
import { HUB_TABLES, Tables } from './aws/tables.ts';
import { VcpuQuotas } from './aws/vcpu-quotas.ts';
import { Checks } from './checks/checks.ts';
import { Engine } from './engine.ts';
import type { FaultRates } from './faults.ts';
import { calm } from './faults.ts';
import { forecastOf, keptOf } from './forecasts.ts';
import type { Invocation, Outcome } from './lambda.ts';
import { Lambda } from './lambda.ts';
import type { PlannedPool } from './pool-plan.ts';
import type { Random } from './random.ts';
import type { Shipped } from './runtime.ts';
import { Executions } from './workflow/executions.ts';
import type { WorldPlan } from './world-plan.ts';

/** Faults at moments that are chosen, not drawn. */
export interface Script {
  /** Whether the next call of a function by a workflow fails, and when. */
  callOf(functionName: string): 'before' | 'after' | undefined;
  failsMove(accountId: string): boolean;
}

/** As infra/constructs/hub-functions.ts gives them; the others have 30 s. */
const TIMEOUT_SECONDS: Readonly<Record<string, number>> = {
  'list-pools': 120,
  'look-ahead': 120,
  'measure-capacity': 120,
  reconcile: 120,
  'judge-pairings': 120,
  pair: 300,
};
const SECOND_MILLIS = 1_000;
/** Of a reservation, at most so much is used by instances of its owner's that are in no group. */
const OWN_USE_SHARE = 0.4;

export class World {
  readonly plan: WorldPlan;
  readonly engine: Engine;
  readonly tables: Tables;
  readonly groups: ScalingGroups;
  readonly reservations: Reservations;
  readonly shares: ResourceShares;
  readonly quotas: VcpuQuotas;
  readonly lambda: Lambda;
  readonly executions: Executions;
  readonly schedules: Schedules;
  readonly checks: Checks;
  /** Functions and states of workflows that were entered. */
  readonly entered = new Set<string>();
  /** What was said of terms that came to their end. */
  readonly termAnswers = new Set<string>();
  script: Script | undefined;
  /** Told of each loan as it enters a state. */
  onLoan: (loan: Loan) => void = () => {};
  /** Whose call takes effect just now. */
  acting: Invocation | undefined;
  readonly #endpoint: Endpoint;
  readonly #alarms = new Map<string, Alarms>();
  readonly #random: Random;
  readonly #rare: Random;
  #defect: Error | undefined;

  constructor(plan: WorldPlan, shipped: Shipped) {
    this.plan = plan;
    this.engine = new Engine(plan.seed, plan.startMillis);
    this.#random = this.engine.random('workflows');
    this.#rare = this.engine.random('long-settling');
    this.checks = new Checks(this);
    const lag = this.engine.random('index');
    this.tables = new Tables(HUB_TABLES, {
      later: (run) => this.engine.later(lag.between(1, plan.indexLagMillis), run),
      pageItems: plan.pageItems,
      onChanged: (changes) => this.checks.onChanged(changes),
    });
    this.quotas = new VcpuQuotas(
      plan,
      () => this.groups,
      () => this.engine.now,
    );
    this.groups = this.#makeGroups();
    this.reservations = this.#makeReservations();
    this.shares = this.#makeShares();
    this.#populate();
    this.#endpoint = new Endpoint(this);
    this.lambda = new Lambda({
      engine: this.engine,
      handlers: shipped.handlers,
      endpoint: this.#endpoint,
      faults: () => this.faults,
      mostSkewMillis: plan.skew.mostMillis,
      timeoutSecondsOf: (name) => TIMEOUT_SECONDS[name] ?? 30,
      onEnded: (invocation, outcome) => {
        this.entered.add(`function ${invocation.functionName}`);
        if (invocation.functionName === 'renew' && outcome.ok) this.#noteTerm(outcome.result);
        this.checks.onEnded(invocation, outcome);
      },
    });
    const workflowWorld = {
      engine: this.engine,
      random: this.#random,
      invoke: (name: string, event: unknown) => this.#invokeFromWorkflow(name, event),
      onEntered: (kind: string, state: string) => void this.entered.add(`state ${kind}/${state}`),
      readObject: (bucket: string, key: string) => this.#endpoint.objectOf(bucket, key),
    };
    this.executions = new Executions(this.engine, workflowWorld, shipped.machines, (error) => {
      this.defect(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
    this.schedules = new Schedules(
      this.engine,
      () => this.faults,
      (stateMachineArn, name, input) => this.executions.start({ stateMachineArn, name, input }),
    );
  }

  #noteTerm(answer: unknown): void {
    this.termAnswers.add((answer as { readonly detail: string }).detail);
  }

  /** What goes wrong now. */
  get faults(): FaultRates {
    return this.isQuiet ? calm() : this.plan.faults;
  }

  /** Whether some function fails just now whenever a workflow calls it. */
  get hasOutage(): boolean {
    return this.plan.rare.outages.some(({ functionName }) => this.#isOut(functionName));
  }

  /** The time in which nothing goes wrong any more and nobody needs anything. */
  get isQuiet(): boolean {
    return this.engine.elapsedMillis >= this.plan.activeMillis;
  }

  get mustStop(): boolean {
    return this.#defect !== undefined || this.checks.violation !== undefined;
  }

  /** Notes that the simulation itself is wrong. */
  defect(message: string): Error {
    this.#defect ??= new Error(message);
    return this.#defect;
  }

  /** @throws Error when the simulation itself went wrong */
  async runUntil(elapsedMillis: number): Promise<void> {
    await this.engine.runUntil(this.plan.startMillis + elapsedMillis, () => this.mustStop);
    if (this.#defect !== undefined) throw this.#defect;
  }

  alarmsOf(accountId: string, region: string): Alarms {
    const key = `${accountId}/${region}`;
    const known = this.#alarms.get(key);
    if (known !== undefined) return known;
    const added = new Alarms();
    this.#alarms.set(key, added);
    return added;
  }

  #makeGroups(): ScalingGroups {
    const random = this.engine.random('instances');
    const slow = (): boolean => random.chance(this.faults.slowInstance);
    return new ScalingGroups({
      startMillis: () => (slow() ? random.between(300, 1_500) : random.between(20, 90)) * SECOND_MILLIS,
      endMillis: () => (slow() ? random.between(120, 900) : random.between(5, 60)) * SECOND_MILLIS,
      hookMillis: () => (slow() ? random.between(600, 3_600) : random.between(10, 300)) * SECOND_MILLIS,
      launchFails: (group) => {
        if (!this.quotas.isExceeded(group)) return random.chance(this.faults.failedLaunch);
        group.quotaFailedAt = this.engine.now;
        return true;
      },
      isProtected: ({ setUp }) => setUp.protectedShare > 0 && random.chance(setUp.protectedShare),
      reservationFor: (group) => this.#reservationFor(group),
    });
  }

  /** Where the next instance of a group is launched into: a reservation of its resource group with room, else On-Demand. */
  #reservationFor({ accountId, region, name, setUp }: Group): string | undefined {
    const { launchTarget } = setUp;
    if (launchTarget === undefined) return undefined;
    const instanceType = this.poolOf(`${accountId}/${region}/${name}`)?.spec.instanceType;
    for (const arn of this.shares.membersOf(launchTarget)) {
      const found = this.reservations.byArn(arn);
      const isUsable = found?.instanceType === instanceType && this.shares.isSharedWith(accountId, arn);
      if (found !== undefined && isUsable && this.reservations.unused(found) > 0) return found.id;
    }
    return undefined;
  }

  #makeReservations(): Reservations {
    const random = this.engine.random('reservations');
    const strange = (): boolean => random.chance(this.faults.reservationFault);
    const weather = {
      settleMillis: () => {
        if (this.#isEndless()) return this.#rare.between(300, 900) * SECOND_MILLIS;
        return (strange() ? random.between(20, 90) : random.between(1, 10)) * SECOND_MILLIS;
      },
      warningMillis: () => (120 + (strange() ? random.between(30, 300) : 0)) * SECOND_MILLIS,
      unseenMillis: () => (strange() ? random.between(0, 5) : 0) * SECOND_MILLIS,
      allocationFails: () => random.chance(this.faults.reservationFault / 5),
    };
    const users = {
      count: (id: string) => this.groups.countIn(id),
      interrupt: (id: string, instances: number) => this.groups.interrupt(id, instances, this.engine.now),
      release: (id: string) => this.groups.release(id),
    };
    const settled = (accountId: string): void => this.checks.reservations.onChanged(accountId, 'an allocation');
    return new Reservations(this.engine, weather, users, settled);
  }

  /** Where reservations behave strangely, some allocations take longer than anybody waits. */
  #isEndless(): boolean {
    return this.faults.reservationFault > 0 && this.#rare.chance(0.2);
  }

  #makeShares(): ResourceShares {
    const random = this.engine.random('shares');
    const strange = (): boolean => random.chance(this.faults.reservationFault);
    return new ResourceShares(this.engine, {
      settleMillis: () => (strange() ? random.between(5, 60) : random.between(0, 2)) * SECOND_MILLIS,
      unseenMillis: () => (strange() ? random.between(0, 5) : 0) * SECOND_MILLIS,
      invites: this.plan.sharesByInvitation,
    });
  }

  /** The groups, alarms and reservations that the accounts have before anything is lent. */
  #populate(): void {
    const random = this.engine.random('population');
    for (const { spec, setUp, ownedUnits, reservedUnits, minSize } of this.plan.pools) {
      const { accountId, region, groupName: name, instanceType, azIds } = spec;
      this.alarmsOf(accountId, region).add(name, 'cpu', this.plan.startMillis);
      const desired = Math.max(1, minSize);
      this.groups.add({ accountId, region, name, setUp, minSize, desired, maxSize: ownedUnits, tagged: true });
      const place = { accountId, region, azId: azIds[0] ?? '', instanceType };
      if (reservedUnits === undefined) continue;
      const reserved = this.reservations.reserve(place, reservedUnits);
      reserved.ownUse = random.int(0, Math.floor(reservedUnits * OWN_USE_SHARE));
    }
  }

  /** In their order; empty when there is no loan. */
  statesOfFirstLoan(): string[] {
    const loans = [...this.tables.all('entangle-loans')] as unknown as Loan[];
    const made = loans.filter(({ history }) => history[0]?.state === 'requested');
    const [first] = made.sort((a, b) => a.requestedAt - b.requestedAt);
    return first?.history.map(({ state }) => state) ?? [];
  }

  poolOf(id: string): PlannedPool | undefined {
    return this.plan.pools.find(({ spec }) => spec.poolId === id);
  }

  /** A call of a function by a workflow: now and then it is throttled, its answer is lost, or it is made twice. */
  async #invokeFromWorkflow(name: string, event: unknown): Promise<Outcome> {
    if (this.#isOut(name))
      return { ok: false, error: 'Runtime.ImportModuleError', message: `${name} fails for a while` };
    if (name === 'collect') return this.#collect(event);
    if (name === 'forecast') return this.#forecast(event as { readonly poolId: PoolId });
    const scripted = this.script?.callOf(name);
    if (scripted !== undefined) {
      if (scripted === 'after') await this.lambda.invoke(name, event);
      return { ok: false, error: 'Lambda.ServiceException', message: 'as the script says' };
    }
    const { engine } = this;
    if (!this.#random.chance(this.faults.invoke)) return this.lambda.invoke(name, event);
    const kind = this.#random.int(0, 2);
    if (kind === 0) return { ok: false, error: 'Lambda.TooManyRequestsException', message: 'Rate exceeded' };
    if (kind === 1) {
      engine.later(this.#random.between(0, 60_000), () => void this.lambda.invoke(name, event));
      return this.lambda.invoke(name, event);
    }
    await this.lambda.invoke(name, event);
    return new Promise(() => {});
  }

  #isOut(name: string): boolean {
    const { elapsedMillis } = this.engine;
    return this.plan.rare.outages.some(({ functionName, fromMillis, toMillis }) => {
      return functionName === name && elapsedMillis >= fromMillis && elapsedMillis < toMillis;
    });
  }

  /** Stands in for collecting: what is measured is known. Now and then an account cannot be read. */
  #collect(event: unknown): Outcome {
    if (!this.#random.chance(this.faults.invoke)) return { ok: true, result: event };
    return { ok: false, error: 'AccessDenied', message: 'the account does not let it' };
  }

  /** Stands in for forecasting: the course of demand is known here. */
  #forecast({ poolId }: { readonly poolId: PoolId }): Outcome {
    const pool = this.poolOf(poolId);
    if (pool === undefined) return { ok: false, error: 'Error', message: `no pool ${poolId}` };
    const { now } = this.engine;
    const forecast: PoolForecast = forecastOf(pool, now, this.plan);
    this.tables.write('Put', { TableName: 'entangle-accounts', Item: { ...forecastKey(poolId), forecast } });
    if (!this.plan.keepsForecasts) return { ok: true, result: {} };
    const { accountId, region, groupName } = pool.spec;
    for (const [kind, kept] of Object.entries(keptOf(pool, now, this.plan))) {
      this.#endpoint.keep(`${kind}/${accountId}/${region}/${groupName}.json`, kept);
    }
    return { ok: true, result: {} };
  }
}
