import { describe, expect, it } from '@jest/globals';
import { isVcpuLimit, quotaClassOf, quotaObjection, roomUnits, vcpusOf } from '../../../core/lending/quota.ts';
import { BORROWER, specOf } from '../../support/fixtures.ts';

describe('the quota of an instance type', () => {
  it.each([
    ['m7g.large', 'Standard/OnDemand', 2],
    ['t3.xlarge', 'Standard/OnDemand', 4],
    ['c7i.24xlarge', 'Standard/OnDemand', 96],
    ['g5.2xlarge', 'G/OnDemand', 8],
    ['x2gd.large', 'X/OnDemand', 2],
    ['inf2.xlarge', 'Inf/OnDemand', 4],
    ['trn1.2xlarge', undefined, 8],
    ['t3.medium', 'Standard/OnDemand', undefined],
    ['m5.metal', 'Standard/OnDemand', undefined],
  ])('of %s is %s, at %s vCPUs each', (type, usageClass, vcpus) => {
    expect(quotaClassOf(type)).toBe(usageClass);
    expect(vcpusOf(type)).toBe(vcpus);
  });
});

describe('what a quota leaves', () => {
  const spec = specOf(BORROWER, { vcpusPerUnit: 4 });
  const quota = { quotaVcpus: 64, usedVcpus: 51 };

  it('is whole instances; without a known quota, no limit', () => {
    expect(roomUnits(spec, quota)).toBe(3);
    expect(roomUnits(spec, { quotaVcpus: 40, usedVcpus: 51 })).toBe(0);
    expect(roomUnits(spec, undefined)).toBe(Number.POSITIVE_INFINITY);
    expect(roomUnits(specOf(BORROWER), quota)).toBe(Number.POSITIVE_INFINITY);
  });

  it('refuses a request that needs more at the least', () => {
    expect(quotaObjection(spec, quota, 3)).toBeUndefined();
    expect(quotaObjection(spec, undefined, 30)).toBeUndefined();
    expect(quotaObjection(spec, quota, 4)).toBe(
      `the vCPU quota of ${BORROWER} leaves room for 3 more m5.large, at least 4 are needed: 51 of 64 vCPUs are in use, an instance takes 4`,
    );
  });
});

describe('a failed launch', () => {
  it('is told from others by the code, or by the words that Auto Scaling puts in its activity', () => {
    expect(isVcpuLimit('VcpuLimitExceeded. Launching EC2 instance failed.')).toBe(true);
    expect(
      isVcpuLimit(
        'You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket',
      ),
    ).toBe(true);
    expect(isVcpuLimit('We currently do not have sufficient capacity in the Availability Zone')).toBe(false);
  });
});
