import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { assessNeed } from '../../../core/lending/assess.ts';
import { hasRecovered } from '../../../core/lending/recovery.ts';
import { plusMillis } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, loanOf, metricOf, NOW, poolOf } from '../../support/fixtures.ts';

const [OWNED, LOAN] = [10, 2];

/** What a pool would do at a demand in units, with a loan or without one. */
function actions(demandUnits: number, thresholdPercent: number, recoveryPercent: number) {
  const resources = { cpu: metricOf({ thresholdPercent, recoveryPercent }) };
  const at = (units: number) => ({
    group: groupOf({ maxSize: units, desiredCapacity: units }),
    metrics: { cpu: (demandUnits / units) * 100 },
  });
  const loan = loanOf({ state: 'active', activeAt: NOW, units: LOAN });
  const asks = assessNeed({
    pool: poolOf(BORROWER, {}, { resources }),
    ...at(OWNED),
    alarmState: 'ALARM',
    resourceType: 'cpu',
    consent: consentOf(BORROWER),
    now: NOW,
  });
  const gives = hasRecovered({
    pool: poolOf(BORROWER, { borrowedUnits: LOAN }, { resources }),
    ...at(OWNED + LOAN),
    loan,
    now: plusMillis(NOW, 3_600_000),
  });
  return { borrows: asks.action === 'request', returns: gives.recovered };
}

const percents = fc
  .tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }))
  .filter(([low, high]) => low < high);

describe('between the recovery percentage and the threshold', () => {
  it('nothing happens: no loan is asked for and none goes back', () => {
    fc.assert(
      fc.property(percents, fc.double({ min: 0.001, max: 0.999, noNaN: true }), ([low, high], part) => {
        const demand = (OWNED * (low + (high - low) * part)) / 100;
        expect(actions(demand, high, low)).toEqual({ borrows: false, returns: false });
      }),
    );
  });

  it('and at no demand at all would a loan be asked for and given back', () => {
    fc.assert(
      fc.property(percents, fc.double({ min: 0, max: 2 * OWNED, noNaN: true }), ([low, high], demand) => {
        const { borrows, returns } = actions(demand, high, low);
        expect(borrows && returns).toBe(false);
      }),
    );
  });
});
