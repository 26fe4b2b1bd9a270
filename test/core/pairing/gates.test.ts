import { describe, expect, it } from '@jest/globals';
import type { Consent, ConsentTerms } from '../../../core/consent/consent.ts';
import { consentRefusal } from '../../../core/pairing/consent-gate.ts';
import { gateRefusal, unitRatioOf } from '../../../core/pairing/gates.ts';
import { instanceTypeProblem } from '../../../core/pairing/instance-types.ts';
import { windowsOverlap } from '../../../core/pairing/windows.ts';
import type { PoolSpec } from '../../../core/pool.ts';
import { invariant } from '../../../core/units.ts';
import { BORROWER, consentOf, LENDER, NOW, poolOf, specOf } from '../../support/fixtures.ts';

const lender = (spec: Partial<PoolSpec> = {}) => specOf(LENDER, spec);
const borrower = (spec: Partial<PoolSpec> = {}) => specOf(BORROWER, spec);

describe('gateRefusal', () => {
  it('names the field and both values', () => {
    expect(gateRefusal(lender({ storageType: 'io2' }), borrower())).toEqual({
      gate: 'storage-type',
      field: 'storageType',
      detail: "the lender's storageType is io2, the borrower's gp3",
    });
  });

  it('takes another instance type where the borrower declared it, with its ratio', () => {
    const substitutions = [{ from: 'm5.xlarge', to: 'm5.large', unitRatio: 2 }];
    const [small, large] = [lender(), borrower({ instanceType: 'm5.xlarge' })];
    expect(gateRefusal(small, large)).toMatchObject({ gate: 'instance-type' });
    expect(gateRefusal(small, large, { substitutions })).toBeUndefined();
    expect(unitRatioOf(small, large, substitutions)).toBe(2);
    // Not the other way round: what runs on two small ones need not run on one large one.
    expect(gateRefusal(lender({ instanceType: 'm5.xlarge' }), borrower(), { substitutions })).toMatchObject({
      gate: 'instance-type',
    });
  });

  it('asks a physical loan for a shared zone, a nominal one for the region', () => {
    const elsewhere = { azIds: ['euw1-az3'] };
    expect(gateRefusal(lender(elsewhere), borrower())).toBeUndefined();
    expect(gateRefusal(lender({ ...elsewhere, lendsAs: 'physical' }), borrower())).toEqual({
      gate: 'availability-zone',
      field: 'azIds',
      detail: "the lender's azIds are euw1-az3, the borrower's euw1-az1",
    });
    expect(gateRefusal(lender({ lendsAs: 'physical' }), borrower())).toBeUndefined();
  });

  it.each([
    ['eu-west-2', 'nominal', true],
    ['eu-west-2', 'physical', false],
    ['us-gov-west-1', 'nominal', false],
    ['cn-north-1', 'nominal', false],
    ['xx-nowhere-1', 'nominal', false],
  ] as const)('lends over regions where both accept it: %s, %s: %s', (region, lendsAs, isAllowed) => {
    const refusal = gateRefusal(lender({ region, lendsAs }), borrower(), { otherRegions: true });
    expect(refusal?.gate).toBe(isAllowed ? undefined : 'region');
    expect(gateRefusal(lender({ region, lendsAs }), borrower())?.gate).toBe('region');
  });
});

describe('consentRefusal', () => {
  const refusal = (
    terms: { readonly lend?: Partial<ConsentTerms>; readonly borrow?: Partial<ConsentTerms> },
    specs: { readonly lender?: Partial<PoolSpec>; readonly borrower?: Partial<PoolSpec> } = {},
    trust: Readonly<Record<string, number>> = {},
  ) => {
    const consents: Record<string, Consent> = {
      [LENDER]: consentOf(LENDER, terms.lend),
      [BORROWER]: consentOf(BORROWER, terms.borrow),
    };
    return consentRefusal(poolOf(LENDER, {}, specs.lender), poolOf(BORROWER, {}, specs.borrower), {
      consentOf: (account) => consents[account],
      trustOf: (account) => trust[account],
      now: NOW,
    });
  };

  it.each([
    ['residency', 'borrower.regions', { borrow: { regions: ['eu-north-1'] } }, 'eu-north-1, not eu-west-1'],
    ['security', 'borrower.requiredTenancy', { borrow: { requiredTenancy: 'dedicated' } }, 'is default'],
    ['security', 'borrower.requiredEncryption', { borrow: { requiredEncryption: 'at-rest' } }, 'not stated'],
    ['security', 'borrower.requiredIsolation', { borrow: { requiredIsolation: 'nitro' } }, 'nitro, the counterparty'],
  ] as const)("names what the borrower's own consent requires: %s, %s", (gate, field, terms, detail) => {
    const found = refusal(terms);
    expect(found).toMatchObject({ gate, field });
    expect(found?.detail).toContain(detail);
  });

  it.each([
    ['security', 'requiredEncryption', { requiredEncryption: 'at-rest' }],
    ['security', 'requiredIsolation', { requiredIsolation: 'dedicated-host' }],
    ['residency', 'regions', { regions: ['eu-north-1'] }],
  ] as const)("tells of the lender's consent a code, and the lender both values: %s, %s", (gate, field, lend) => {
    const found = refusal({ lend });
    expect(found).toMatchObject({ gate, field: `lender.${field}` });
    expect(found?.detail).toMatch(/^the lender's consent does not cover it \([a-z-]+\)$/);
    expect(found?.lenderDetail).toMatch(/^the consent .+, .+/);
  });

  it('is satisfied by what the pool states', () => {
    const required = { requiredEncryption: 'at-rest', requiredIsolation: 'nitro' } as const;
    const stated = { encryptedAtRest: true, isolation: 'nitro' } as const;
    expect(refusal({ borrow: required }, { lender: stated })).toBeUndefined();
    expect(
      refusal({ borrow: { requiredIsolation: 'dedicated-instance' } }, { lender: { tenancy: 'dedicated' } }),
    ).toBeUndefined();
  });

  it('keeps out whoever is below the floor of either side', () => {
    expect(refusal({}, {}, { [LENDER]: 0.49 })).toMatchObject({ gate: 'trust', field: 'borrower.trustFloor' });
    expect(refusal({}, {}, { [BORROWER]: 0.49 })).toMatchObject({ gate: 'trust', field: 'lender.trustFloor' });
    expect(refusal({}, {}, { [LENDER]: 0.5, [BORROWER]: 0.5 })).toBeUndefined();
    expect(refusal({ borrow: { trustFloor: 0.2 } }, {}, { [LENDER]: 0.3 })).toBeUndefined();
    expect(refusal({ borrow: { trustFloor: 0.8 } }, {}, { [LENDER]: 0.75 })?.detail).toBe(
      "the consent requires a trust of 0.8, the counterparty's is 0.75",
    );
  });

  it("holds the borrower's price against all units that stand in for one of its own", () => {
    const { borrow } = consentOf(BORROWER).terms;
    invariant(borrow !== undefined, 'the borrower borrows');
    // The lender asks for 40,000 a unit, the borrower pays 90,000.
    const by = (unitRatio: number) =>
      refusal(
        { borrow: { borrow: { ...borrow, substitutions: [{ from: 'm5.xlarge', to: 'm5.large', unitRatio }] } } },
        { borrower: { instanceType: 'm5.xlarge' } },
      );
    expect(by(2)).toBeUndefined();
    expect(by(2.5)).toMatchObject({ gate: 'price', field: 'borrower.borrow.maxPriceMicroUsdPerUnitHour' });
  });

  it('refuses windows that never meet', () => {
    const on = (daysOfWeek: number[], fromSecondOfDay: number, toSecondOfDay: number) => ({
      windows: [{ daysOfWeek, fromSecondOfDay, toSecondOfDay }],
    });
    expect(refusal({ lend: on([1, 2], 0, 3_600), borrow: on([3], 0, 3_600) })).toMatchObject({
      gate: 'windows',
      detail: "no moment suits both consents; the borrower's windows: days 3 00:00–01:00 UTC",
    });
    expect(refusal({ lend: on([1, 2], 0, 3_600), borrow: on([2], 3_599, 7_200) })).toBeUndefined();
  });
});

describe('windowsOverlap', () => {
  const window = (day: number, fromSecondOfDay: number, toSecondOfDay: number) => [
    { daysOfWeek: [day], fromSecondOfDay, toSecondOfDay },
  ];

  it('follows a window past midnight, and past the end of the week', () => {
    expect(windowsOverlap(window(1, 82_800, 3_600), window(2, 0, 1_800))).toBe(true);
    expect(windowsOverlap(window(6, 82_800, 3_600), window(0, 3_599, 7_200))).toBe(true);
    expect(windowsOverlap(window(6, 82_800, 3_600), window(0, 3_600, 7_200))).toBe(false);
  });

  it('takes no windows for always, an empty one for never', () => {
    expect(windowsOverlap([], [])).toBe(true);
    expect(windowsOverlap([], window(3, 10, 20))).toBe(true);
    expect(windowsOverlap([], window(3, 10, 10))).toBe(false);
  });
});

describe('instanceTypeProblem', () => {
  it.each([
    'm7g.large',
    'c7i-flex.2xlarge',
    'u-6tb1.56xlarge',
    'u7in-16tb.224xlarge',
    'mac2-m2pro.metal',
    'm7a.metal-48xl',
    't4g.nano',
    'x2iezn.12xlarge',
  ])('knows %s', (type) => expect(instanceTypeProblem(type)).toBeUndefined());

  it.each(['m7g', 'large', 'q9.large', 'm7g.huge', 'm7g.large.x', 'M7G.large', 'm.large', '', 'db.m5.large'])(
    'does not know %s',
    (type) => expect(instanceTypeProblem(type)).toContain('expected'),
  );
});
