/** What an account may run on demand at all: EC2 counts its quotas in vCPUs, for each group of instance families. */
import type { PoolSpec } from '../pool.ts';

/** A quota of an account and region, and what is in use of it. */
export interface VcpuQuota {
  readonly quotaVcpus: number;
  readonly usedVcpus: number;
}

/** Families of the quota "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances" (L-1216C47A). */
const STANDARD_FAMILIES = /^[acdhimrtz]\d/;
const OTHER_CLASSES: readonly (readonly [RegExp, string])[] = [
  [/^(g|vt)\d/, 'G/OnDemand'],
  [/^p\d/, 'P/OnDemand'],
  [/^x\d/, 'X/OnDemand'],
  [/^f\d/, 'F/OnDemand'],
  [/^inf\d/, 'Inf/OnDemand'],
];

/** The dimension `Class` of the usage metric of an instance type's quota (EC2 user guide, "Amazon EC2 usage metrics"); undefined: not known. */
export function quotaClassOf(instanceType: string): string | undefined {
  if (STANDARD_FAMILIES.test(instanceType)) return 'Standard/OnDemand';
  return OTHER_CLASSES.find(([family]) => family.test(instanceType))?.[1];
}

/**
 * vCPUs of an instance type by its size: from `large` on they double with each size, in every family of the quotas above but bare
 * metal. Smaller sizes and `metal` differ by family: undefined.
 */
export function vcpusOf(instanceType: string): number | undefined {
  const size = instanceType.slice(instanceType.indexOf('.') + 1);
  if (size === 'large') return 2;
  if (size === 'xlarge') return 4;
  const times = /^(\d+)xlarge$/.exec(size)?.[1];
  return times === undefined ? undefined : 4 * Number(times);
}

/** Instances of a pool's type that its account may start still; without limit where the quota is not known. */
export function roomUnits({ vcpusPerUnit }: Pick<PoolSpec, 'vcpusPerUnit'>, quota: VcpuQuota | undefined): number {
  if (vcpusPerUnit === undefined || quota === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(0, Math.floor((quota.quotaVcpus - quota.usedVcpus) / vcpusPerUnit));
}

/** Why a request is not made that the quota of its account leaves too few instances for; undefined when there are enough. */
export function quotaObjection(
  spec: Pick<PoolSpec, 'accountId' | 'instanceType' | 'vcpusPerUnit'>,
  quota: VcpuQuota | undefined,
  leastUnits: number,
): string | undefined {
  const room = roomUnits(spec, quota);
  if (quota === undefined || room >= leastUnits) return undefined;
  const { quotaVcpus, usedVcpus } = quota;
  return `the vCPU quota of ${spec.accountId} leaves room for ${room} more ${spec.instanceType}, at least ${leastUnits} are needed: ${usedVcpus} of ${quotaVcpus} vCPUs are in use, an instance takes ${spec.vcpusPerUnit}`;
}

/** Whether Auto Scaling says that a launch failed for want of vCPU quota: by EC2's error code, or in the words of its message. */
export function isVcpuLimit(statusMessage: string): boolean {
  return /VcpuLimitExceeded|more vCPU capacity than your current vCPU limit/.test(statusMessage);
}
