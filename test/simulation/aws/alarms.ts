/** CloudWatch: what groups measure, and alarms that change their state with it. */
import type { ResourceType } from '../../../core/units.ts';

type AlarmState = 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';

interface Alarm {
  readonly name: string;
  state: AlarmState;
  changedAt: number;
}

interface Sample {
  readonly at: number;
  readonly percent: number;
  readonly inService: number;
}

/** One a minute: more than is ever looked back over. */
const SAMPLES_KEPT = 240;

interface MetricQuery {
  readonly Id: string;
  readonly MetricStat: {
    readonly Metric: { readonly MetricName: string; readonly Dimensions: readonly { readonly Value: string }[] };
  };
}

/** The metrics and alarms of the groups of one account and region. */
export class Alarms {
  readonly #alarms = new Map<string, Alarm>();
  readonly #samples = new Map<string, Sample[]>();

  add(groupName: string, resource: ResourceType, at: number): void {
    const name = `entangle/${groupName}/${resource}`;
    this.#alarms.set(name, { name, state: 'INSUFFICIENT_DATA', changedAt: at });
  }

  measure(groupName: string, sample: Sample): void {
    const kept = this.#samples.get(groupName) ?? [];
    kept.push(sample);
    if (kept.length > SAMPLES_KEPT) kept.shift();
    this.#samples.set(groupName, kept);
  }

  /** @returns whether the state changed */
  set(name: string, state: AlarmState, at: number): boolean {
    const alarm = this.#alarms.get(name);
    if (alarm === undefined || alarm.state === state) return false;
    alarm.state = state;
    alarm.changedAt = at;
    return true;
  }

  describe(prefix: string, state: string | undefined): object {
    const found = [...this.#alarms.values()].filter(
      (alarm) => alarm.name.startsWith(prefix) && (state === undefined || alarm.state === state),
    );
    return {
      MetricAlarms: found.map((alarm) => ({
        AlarmName: alarm.name,
        StateValue: alarm.state,
        StateTransitionedTimestamp: new Date(alarm.changedAt),
        StateUpdatedTimestamp: new Date(alarm.changedAt),
      })),
    };
  }

  /** What is asked for is among the newest: looked for from the end. */
  #between(groupName: string, from: number, to: number): Sample[] {
    const kept = this.#samples.get(groupName) ?? [];
    let first = kept.length;
    while (first > 0 && (kept[first - 1]?.at ?? 0) >= from) first -= 1;
    return kept.slice(first).filter(({ at }) => at <= to);
  }

  metricData(queries: readonly MetricQuery[], from: number, to: number): object {
    const MetricDataResults = queries.map(({ Id, MetricStat: { Metric } }) => {
      const groupName = Metric.Dimensions[0]?.Value ?? '';
      const inTime = this.#between(groupName, from, to);
      const isCount = Metric.MetricName === 'GroupInServiceInstances';
      return {
        Id,
        Timestamps: inTime.map(({ at }) => new Date(at)),
        Values: inTime.map(({ percent, inService }) => (isCount ? inService : percent)),
      };
    });
    return { MetricDataResults };
  }
}
