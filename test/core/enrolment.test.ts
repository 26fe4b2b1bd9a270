import { describe, expect, it } from '@jest/globals';
import { enrol, noteCeiling } from '../../core/enrolment.ts';
import { groupOf, LENDER, NOW, poolOf } from '../support/fixtures.ts';

const pool = poolOf(LENDER);

describe('noteCeiling', () => {
  it('keeps what was found of the group, with one record when it changes', () => {
    const found = noteCeiling(pool, true, 'collect', NOW);
    expect(found).toMatchObject({
      pool: { raisesOwnCeiling: true, version: pool.version + 1 },
      audit: { type: 'pool.ceiling-not-fixed', accountId: LENDER, subject: pool.spec.poolId, actor: 'collect' },
    });
    if (found === undefined) throw new Error('it has changed');
    expect(found.audit.detail['reason']).toContain('IncreaseMaxCapacity');
    expect(noteCeiling(found.pool, true, 'collect', NOW)).toBeUndefined();
    const gone = noteCeiling(found.pool, false, 'collect', NOW);
    expect(gone).toMatchObject({ pool: { ...pool, version: pool.version + 2 }, audit: { type: 'pool.ceiling-fixed' } });
    expect(gone?.pool).not.toHaveProperty('raisesOwnCeiling');
    expect(noteCeiling(pool, false, 'collect', NOW)).toBeUndefined();
  });

  it('is forgotten when the pool is enrolled anew, which looks itself', () => {
    const { pool: enrolled } = enrol({ ...pool, raisesOwnCeiling: true }, pool.spec, groupOf(), 'owner', NOW);
    expect(enrolled).not.toHaveProperty('raisesOwnCeiling');
  });
});
