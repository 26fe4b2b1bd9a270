import { describe, expect, it } from '@jest/globals';
import { azIdObjection } from '../../../core/pairing/regions.ts';

describe('azIdObjection', () => {
  it.each([
    ['us-east-1', 'use1-az6'],
    ['us-west-2', 'usw2-lax1-az1'],
    ['us-gov-east-1', 'usge1-az1'],
    ['eu-central-1', 'euc1-az1'],
    ['eu-north-1', 'eun1-az2'],
    ['ap-southeast-2', 'apse2-az3'],
    ['ap-northeast-1', 'apne1-az4'],
    ['ca-west-1', 'caw1-az1'],
    ['cn-northwest-1', 'cnnw1-az1'],
    ['il-central-1', 'ilc1-az1'],
    // Named in another way: its ids are not known.
    ['us-iso-east-1', 'anything'],
  ])('takes the ids of %s: %s', (region, azId) => {
    expect(azIdObjection(region, azId)).toBeUndefined();
  });

  it.each([
    ['eu-central-1', 'euw1-az1'],
    ['eu-central-1', 'euc2-az1'],
    ['eu-central-1', 'eu-central-1a'],
    ['us-gov-east-1', 'use1-az1'],
  ])('says what an id of %s is, and that %s is none', (region, azId) => {
    expect(azIdObjection(region, azId)).toContain(`an AZ id of ${region}, such as `);
  });
});
