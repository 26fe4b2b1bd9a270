import { readFileSync } from 'node:fs';
import type * as z from 'zod';
import { vcpusOf } from '../core/lending/quota.ts';
import type { PoolSpec, ResourceMetric } from '../core/pool.ts';
import type { ResourceType } from '../core/units.ts';
import { accountId, microUsd, poolId, RESOURCE_TYPES } from '../core/units.ts';
import type { Config, LinkedAccountConfig, PoolConfig } from './config-schema.ts';
import { configSchema } from './config-schema.ts';

const BITS_PER_GIGABIT = 1e9;
const BITS_PER_BYTE = 8;
const SHOWN_CHARACTERS_MAX = 60;

/** The configuration is wrong; each line of the message names a field, what is expected there and what it is. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** `linkedAccounts[0].pools[1].azIds[0]` */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => {
    return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined;
  }, root);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const json = JSON.stringify(value);
  return json.length <= SHOWN_CHARACTERS_MAX ? json : `${json.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}

function lineOf(path: readonly PropertyKey[], expected: string, got: string): string {
  return `${pathText(path) || 'the file'}: expected ${expected}, got ${got}`;
}

function issueLines(issue: z.core.$ZodIssue, root: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => lineOf([...issue.path, key], issue.message, 'an unknown field'));
  }
  if (issue.code === 'invalid_key') {
    const expected = issue.issues[0]?.message ?? issue.message;
    return [lineOf(issue.path, expected, 'an unknown field')];
  }
  return [lineOf(issue.path, issue.message, shown(valueAt(root, issue.path)))];
}

/**
 * Checks a configuration and fills in its defaults.
 * @param input the parsed JSON
 * @throws ConfigError with a line for every wrong field
 */
export function parseConfig(input: unknown): Config {
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = new Set(parsed.error.issues.flatMap((issue) => issueLines(issue, input)));
  throw new ConfigError([...lines].join('\n'));
}

/**
 * Reads and checks a configuration file.
 * @throws ConfigError when it is missing, not JSON, or wrong in some field
 */
export function loadConfig(path: string): Config {
  return parseConfig(readJson(path));
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no file';
    throw new ConfigError(
      `${path}: expected the configuration file, got ${code}: copy entangle.example.json to entangle.json and edit it, or set ENTANGLE_CONFIG to its path`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${path}: expected JSON, got ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The metric that is meant when the configuration names none. Its values are averages over the instances of a group. */
function defaultMetric(
  type: ResourceType,
  pool: PoolConfig,
): Omit<ResourceMetric, 'thresholdPercent' | 'recoveryPercent'> {
  const statistic = 'Average';
  switch (type) {
    case 'cpu':
      return { namespace: 'AWS/EC2', metricName: 'CPUUtilization', statistic, fullUsePerUnit: 100 };
    case 'memory':
      return { namespace: 'CWAgent', metricName: 'mem_used_percent', statistic, fullUsePerUnit: 100 };
    case 'storage':
      return { namespace: 'CWAgent', metricName: 'disk_used_percent', statistic, fullUsePerUnit: 100 };
    case 'network': {
      // NetworkOut counts the bytes of one sample, and a detailed-monitoring sample covers one period of the alarm.
      const bytesPerSecond = (pool.networkGbps * BITS_PER_GIGABIT) / BITS_PER_BYTE;
      const fullUsePerUnit = bytesPerSecond * pool.alarm.periodSeconds;
      return { namespace: 'AWS/EC2', metricName: 'NetworkOut', statistic, fullUsePerUnit };
    }
  }
}

/** The measured resource types of a pool, each with its metric. */
export function poolResources(pool: PoolConfig): Partial<Record<ResourceType, ResourceMetric>> {
  return Object.fromEntries(
    RESOURCE_TYPES.flatMap((type) => {
      const resource = pool.resources[type];
      if (resource === undefined) return [];
      const { thresholdPercent, recoveryPercent, metric } = resource;
      return [[type, { ...(metric ?? defaultMetric(type, pool)), thresholdPercent, recoveryPercent }]];
    }),
  );
}

function poolSpec(account: LinkedAccountConfig, pool: PoolConfig): PoolSpec {
  const { alarm, onDemandUsdPerUnitHour, applicationMetrics, borrowAhead, watch, calendar: _, ...stated } = pool;
  const owner = accountId(account.accountId);
  const vcpusPerUnit = pool.vcpusPerUnit ?? vcpusOf(pool.instanceType);
  return {
    ...stated,
    poolId: poolId(owner, account.region, pool.groupName),
    accountId: owner,
    region: account.region,
    ...(vcpusPerUnit === undefined ? {} : { vcpusPerUnit }),
    onDemandMicroUsdPerUnitHour: microUsd(Math.round(onDemandUsdPerUnitHour * 1e6)),
    alarmPeriodSeconds: alarm.periodSeconds,
    ...(applicationMetrics === undefined ? {} : { applicationMetrics }),
    ...(borrowAhead === undefined ? {} : { borrowAhead }),
    ...(watch === undefined ? {} : { watch }),
    resources: poolResources(pool),
  };
}

/** What enrolling states about each pool of the configuration, in its order. */
export function poolSpecs(config: Config): PoolSpec[] {
  return config.linkedAccounts.flatMap((account) => account.pools.map((pool) => poolSpec(account, pool)));
}
