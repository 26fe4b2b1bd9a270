/** Outlooks, and histories that they are made from, for tests; each test states what matters to it. */
import type { Outlook } from '../../core/lending/outlook.ts';
import type { DemandHistory } from '../../core/telemetry/history.ts';
import type { PoolId, ResourceType } from '../../core/units.ts';
import { epochMillis, MILLIS_PER_SECOND, plusMillis } from '../../core/units.ts';
import { NOW } from './fixtures.ts';

/** An outlook of NOW that needs so many units over the shortest loan, and as many before a recall. */
export function outlookOf(poolId: PoolId, neededUnits: number, overrides: Partial<Outlook> = {}): Outlook {
  const recall = { untilMillis: plusMillis(NOW, 900_000), neededUnits, risk: 0.01 };
  return {
    poolId,
    madeAt: NOW,
    knownUntil: NOW,
    freshUntil: plusMillis(NOW, 900_000),
    bindingResource: 'cpu',
    lastUnits: neededUnits,
    loan: { untilMillis: plusMillis(NOW, 4_200_000), neededUnits, risk: 0.02 },
    recall,
    ahead: {
      untilMillis: recall.untilMillis,
      ceilingUnits: 10,
      probability: 0,
      neededUnits: { '0.5': neededUnits, '0.9': neededUnits, '0.95': neededUnits },
    },
    ...overrides,
  };
}

/** The demand of the steps before a moment, oldest first. */
export function historyBefore(
  poolId: PoolId,
  values: readonly (number | null)[],
  untilMillis: number = NOW,
  resource: ResourceType = 'cpu',
  stepSeconds = 300,
): DemandHistory {
  const startMillis = epochMillis(untilMillis - values.length * stepSeconds * MILLIS_PER_SECOND);
  return { poolId, resource, stepSeconds, startMillis, values };
}
