/** One world: everything of AWS that the product touches, in memory, with the shipped functions and workflows running in it. */
import type { PoolForecast } from '../../core/forecast/pool-forecast.ts';
import type { Loan } from '../../core/lending/loan.ts';
import type { PoolId } from '../../core/units.ts';
import { forecastKey } from '../../functions/adapters/keys.ts';
import { Alarms } from './aws/alarms.ts';
import { Endpoint } from './aws/endpoint.ts';
import { ScalingGroups } from './aws/scaling-groups.ts';
import { Schedules } from './aws/schedules.ts';
import { HUB_TABLES, Tables } from './aws/tables.ts';
import { Checks } from './checks/checks.ts';
import { Engine } from './engine.ts';
import type { FaultRates } from './faults.ts';
import { calm } from './faults.ts';
import { forecastOf } from './forecasts.ts';
import type { Invocation, Outcome } from './lambda.ts';
import { Lambda } from './lambda.ts';
import type { Random } from './random.ts';
import type { Shipped } from './runtime.ts';
import { Executions } from './workflow/executions.ts';
import type { PlannedPool, WorldPlan } from './world-plan.ts';

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
  reconcile: 120,
  'judge-pairings': 120,
  pair: 300,
};
const SECOND_MILLIS = 1_000;

export class World {
  readonly plan: WorldPlan;
  readonly engine: Engine;
  readonly tables: Tables;
  readonly groups: ScalingGroups;
  readonly lambda: Lambda;
  readonly executions: Executions;
  readonly schedules: Schedules;
  readonly checks: Checks;
  script: Script | undefined;
  /** Told of each loan as it enters a state. */
  onLoan: (loan: Loan) => void = () => {};
  /** Whose call takes effect just now. */
  acting: Invocation | undefined;
  readonly #endpoint: Endpoint;
  readonly #alarms = new Map<string, Alarms>();
  readonly #random: Random;
  #defect: Error | undefined;

  constructor(plan: WorldPlan, shipped: Shipped) {
    this.plan = plan;
    this.engine = new Engine(plan.seed, plan.startMillis);
    this.#random = this.engine.random('workflows');
    this.checks = new Checks(this);
    const lag = this.engine.random('index');
    this.tables = new Tables(HUB_TABLES, {
      later: (run) => this.engine.later(lag.between(1, plan.indexLagMillis), run),
      pageItems: plan.pageItems,
      onChanged: (changes) => this.checks.onChanged(changes),
    });
    this.groups = this.#makeGroups();
    this.#endpoint = new Endpoint(this);
    this.lambda = new Lambda({
      engine: this.engine,
      handlers: shipped.handlers,
      endpoint: this.#endpoint,
      faults: () => this.faults,
      mostSkewMillis: plan.skew.mostMillis,
      timeoutSecondsOf: (name) => TIMEOUT_SECONDS[name] ?? 30,
      onEnded: (invocation, outcome) => this.checks.onEnded(invocation, outcome),
    });
    const workflowWorld = {
      engine: this.engine,
      random: this.#random,
      invoke: (name: string, event: unknown) => this.#invokeFromWorkflow(name, event),
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

  /** What goes wrong now. */
  get faults(): FaultRates {
    return this.isQuiet ? calm() : this.plan.faults;
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
    const known = this.#alarms.get(key) ?? new Alarms();
    this.#alarms.set(key, known);
    return known;
  }

  #makeGroups(): ScalingGroups {
    const random = this.engine.random('instances');
    const groups = new ScalingGroups({
      startMillis: () =>
        (random.chance(this.faults.slowInstance) ? random.between(300, 1_500) : random.between(20, 90)) * SECOND_MILLIS,
      endMillis: () =>
        (random.chance(this.faults.slowInstance) ? random.between(120, 900) : random.between(5, 60)) * SECOND_MILLIS,
      launchFails: () => random.chance(this.faults.failedLaunch),
    });
    for (const { spec, ownedUnits, minSize } of this.plan.pools) {
      const { accountId, region, groupName: name } = spec;
      const alarms = this.alarmsOf(accountId, region);
      alarms.add(name, 'cpu', this.plan.startMillis);
      groups.add({
        accountId,
        region,
        name,
        minSize,
        desired: Math.max(1, minSize),
        maxSize: ownedUnits,
        tagged: true,
      });
    }
    return groups;
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
    if (name === 'collect') return { ok: true, result: event };
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

  /** Stands in for collecting and forecasting: the course of demand is known here. */
  #forecast({ poolId }: { readonly poolId: PoolId }): Outcome {
    const pool = this.poolOf(poolId);
    if (pool === undefined) return { ok: false, error: 'Error', message: `no pool ${poolId}` };
    const forecast: PoolForecast = forecastOf(pool, this.engine.now, this.plan);
    this.tables.write('Put', { TableName: 'entangle-accounts', Item: { ...forecastKey(poolId), forecast } });
    return { ok: true, result: {} };
  }
}
