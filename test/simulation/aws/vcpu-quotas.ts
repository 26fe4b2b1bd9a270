/** Service Quotas and the usage metric of vCPUs, of accounts that have a quota at all. */
import type { WorldPlan } from '../world-plan.ts';
import type { Group, ScalingGroups } from './scaling-groups.ts';

/** EC2 publishes what is in use every five minutes: what is read may be so old. */
const PUBLISHED_MILLIS = 300_000;

interface Usage {
  readonly at: number;
  readonly used: number;
}

export class VcpuQuotas {
  readonly #plan: WorldPlan;
  readonly #groups: () => ScalingGroups;
  readonly #now: () => number;
  /** In use by instances that are in no group. */
  readonly #elsewhere = new Map<string, number>();
  readonly #published = new Map<string, Usage>();

  constructor(plan: WorldPlan, groups: () => ScalingGroups, now: () => number) {
    this.#plan = plan;
    this.#groups = groups;
    this.#now = now;
  }

  #quotaOf(accountId: string): number | undefined {
    return this.#plan.accounts.find((account) => account.accountId === accountId)?.vcpuQuota;
  }

  #usedBy(accountId: string): number {
    let used = this.#elsewhere.get(accountId) ?? 0;
    for (const { spec } of this.#plan.pools) {
      if (spec.accountId !== accountId) continue;
      const group = this.#groups().get(accountId, spec.region, spec.groupName);
      used += (group?.instances.length ?? 0) * (spec.vcpusPerUnit ?? 0);
    }
    return used;
  }

  /** vCPUs that the quota of an account leaves; undefined: it has none. */
  roomOf(accountId: string): number | undefined {
    const quota = this.#quotaOf(accountId);
    return quota === undefined ? undefined : Math.max(0, quota - this.#usedBy(accountId));
  }

  /** Its people start or end instances that are in no group. */
  useElsewhere(accountId: string, vcpus: number): void {
    this.#elsewhere.set(accountId, (this.#elsewhere.get(accountId) ?? 0) + vcpus);
  }

  /** Whether an instance of a group, that is counted already, is one too many. */
  isExceeded({ accountId }: Group): boolean {
    const quota = this.#quotaOf(accountId);
    return quota !== undefined && this.#usedBy(accountId) > quota;
  }

  #publishedOf(accountId: string): number {
    const now = this.#now();
    const known = this.#published.get(accountId);
    if (known !== undefined && now < known.at + PUBLISHED_MILLIS) return known.used;
    const used = this.#usedBy(accountId);
    this.#published.set(accountId, { at: now, used });
    return used;
  }

  /** As GetMetricData answers the queries `used` and `quota`. */
  metricData(accountId: string): object {
    const quota = this.#quotaOf(accountId);
    const values = quota === undefined ? {} : { used: this.#publishedOf(accountId), quota };
    return { MetricDataResults: Object.entries(values).map(([Id, value]) => ({ Id, Values: [value] })) };
  }
}
