/** Service Quotas and the usage metric of vCPUs, of accounts that have a quota at all. */
import type { WorldPlan } from '../world-plan.ts';
import type { Group, ScalingGroups } from './scaling-groups.ts';

export class VcpuQuotas {
  readonly #plan: WorldPlan;
  readonly #groups: () => ScalingGroups;

  constructor(plan: WorldPlan, groups: () => ScalingGroups) {
    this.#plan = plan;
    this.#groups = groups;
  }

  #quotaOf(accountId: string): number | undefined {
    return this.#plan.accounts.find((account) => account.accountId === accountId)?.vcpuQuota;
  }

  #usedBy(accountId: string): number {
    let used = 0;
    for (const { spec } of this.#plan.pools) {
      if (spec.accountId !== accountId) continue;
      const group = this.#groups().get(accountId, spec.region, spec.groupName);
      used += (group?.instances.length ?? 0) * (spec.vcpusPerUnit ?? 0);
    }
    return used;
  }

  /** Whether an instance of a group, that is counted already, is one too many. */
  isExceeded({ accountId }: Group): boolean {
    const quota = this.#quotaOf(accountId);
    return quota !== undefined && this.#usedBy(accountId) > quota;
  }

  /** As GetMetricData answers the queries `used` and `quota`. */
  metricData(accountId: string): object {
    const quota = this.#quotaOf(accountId);
    const values = quota === undefined ? {} : { used: this.#usedBy(accountId), quota };
    return { MetricDataResults: Object.entries(values).map(([Id, value]) => ({ Id, Values: [value] })) };
  }
}
