import { describe, expect, it } from '@jest/globals';
import type { ConsentTerms, ConsentUsage } from '../../../core/consent/consent.ts';
import type { ConsentUse } from '../../../core/consent/covers.ts';
import { emptyUsage, ownRefusals, pairRefusals, refusals, withinWindows } from '../../../core/consent/covers.ts';
import { accountId, epochMillis, microUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, LENDER, NOW, specOf, termsOf } from '../../support/fixtures.ts';

const OTHER = accountId('333333333333');

function use(direction: 'lend' | 'borrow', overrides: Partial<ConsentUse> = {}): ConsentUse {
  const [own, other] = direction === 'lend' ? [LENDER, BORROWER] : [BORROWER, LENDER];
  return {
    direction,
    accountId: own,
    groupName: 'web',
    pool: specOf(own),
    ownedUnits: 10,
    poolUnitsInUse: 0,
    application: 'shop',
    counterparty: other,
    counterpartyPool: specOf(other),
    units: 2,
    termSeconds: 3_600,
    priceMicroUsdPerUnitHour: microUsd(50_000),
    recallNoticeSeconds: 120,
    latencyMillis: 2,
    now: NOW,
    ...overrides,
  };
}

interface Case {
  readonly code: string;
  readonly direction: 'lend' | 'borrow';
  readonly terms?: Partial<ConsentTerms>;
  readonly use?: Partial<ConsentUse>;
  readonly usage?: Partial<ConsentUsage>;
}

const lend = termsOf().lend as NonNullable<ConsentTerms['lend']>;
const borrow = termsOf().borrow as NonNullable<ConsentTerms['borrow']>;

/** Each refused case is one step past a limit; the case with the same name in `atTheLimit` stands on it. */
const refused: Case[] = [
  { code: 'consent-expired', direction: 'lend', terms: { validUntil: NOW } },
  { code: 'group-not-covered', direction: 'lend', terms: { groupNames: ['batch'] } },
  { code: 'application-not-allowed', direction: 'lend', terms: { allowedApplications: ['blog'] } },
  {
    code: 'counterparty-denied',
    direction: 'borrow',
    terms: { deniedCounterparties: [LENDER], allowedCounterparties: [LENDER] },
  },
  { code: 'counterparty-not-allowed', direction: 'lend', terms: { allowedCounterparties: [OTHER] } },
  { code: 'region-not-allowed', direction: 'lend', terms: { regions: ['us-east-1'] } },
  {
    code: 'region-not-allowed',
    direction: 'borrow',
    terms: { regions: ['eu-west-1'] },
    use: { counterpartyPool: specOf(LENDER, { region: 'us-east-1' }) },
  },
  { code: 'tenancy-required', direction: 'borrow', terms: { requiredTenancy: 'dedicated' } },
  { code: 'latency-too-long', direction: 'lend', use: { latencyMillis: 5.1 } },
  { code: 'price-too-low', direction: 'lend', use: { priceMicroUsdPerUnitHour: microUsd(39_999) } },
  { code: 'price-too-high', direction: 'borrow', use: { priceMicroUsdPerUnitHour: microUsd(90_001) } },
  { code: 'recall-notice-too-short', direction: 'borrow', use: { recallNoticeSeconds: 59 } },
  { code: 'term-too-short', direction: 'lend', use: { termSeconds: 599 } },
  { code: 'term-too-long', direction: 'borrow', use: { termSeconds: 3_601 } },
  {
    code: 'outside-windows',
    direction: 'lend',
    terms: { windows: [{ daysOfWeek: [3], fromSecondOfDay: 0, toSecondOfDay: 36_000 }] },
  },
  { code: 'units-exceeded', direction: 'lend', usage: { lentUnits: 7 } },
  { code: 'units-exceeded', direction: 'borrow', usage: { borrowedUnits: 7 } },
  {
    code: 'share-exceeded',
    direction: 'lend',
    terms: { lend: { ...lend, maxSharePercent: 50 } },
    use: { poolUnitsInUse: 4 },
  },
  { code: 'unit-hours-exceeded', direction: 'borrow', usage: { borrowedUnitSeconds: { '2026-11': 998 * 3_600 + 1 } } },
];

const atTheLimit: Case[] = [
  { code: 'consent-expired', direction: 'lend', terms: { validUntil: epochMillis(NOW + 1) } },
  { code: 'group-not-covered', direction: 'lend', terms: { groupNames: ['batch', 'web'] } },
  { code: 'application-not-allowed', direction: 'lend', terms: { allowedApplications: ['shop'] } },
  { code: 'counterparty-not-allowed', direction: 'lend', terms: { allowedCounterparties: [OTHER, BORROWER] } },
  { code: 'region-not-allowed', direction: 'lend', terms: { regions: ['eu-west-1'] } },
  {
    code: 'tenancy-required',
    direction: 'borrow',
    terms: { requiredTenancy: 'dedicated' },
    use: { counterpartyPool: specOf(LENDER, { tenancy: 'dedicated' }) },
  },
  { code: 'latency-too-long', direction: 'lend', use: { latencyMillis: 5 } },
  { code: 'price-too-low', direction: 'lend', use: { priceMicroUsdPerUnitHour: microUsd(40_000) } },
  { code: 'price-too-high', direction: 'borrow', use: { priceMicroUsdPerUnitHour: microUsd(90_000) } },
  { code: 'recall-notice-too-short', direction: 'borrow', use: { recallNoticeSeconds: 60 } },
  { code: 'term-too-short', direction: 'lend', use: { termSeconds: 600 } },
  {
    code: 'outside-windows',
    direction: 'lend',
    terms: { windows: [{ daysOfWeek: [3], fromSecondOfDay: 36_000, toSecondOfDay: 36_001 }] },
  },
  { code: 'units-exceeded', direction: 'lend', usage: { lentUnits: 6 } },
  // What was borrowed does not count against what may be lent.
  { code: 'units-exceeded', direction: 'lend', usage: { borrowedUnits: 8 } },
  {
    code: 'share-exceeded',
    direction: 'lend',
    terms: { lend: { ...lend, maxSharePercent: 50 } },
    use: { poolUnitsInUse: 3 },
  },
  { code: 'unit-hours-exceeded', direction: 'borrow', usage: { borrowedUnitSeconds: { '2026-11': 998 * 3_600 } } },
  // A month that is over does not count.
  { code: 'unit-hours-exceeded', direction: 'borrow', usage: { borrowedUnitSeconds: { '2026-10': 1_000 * 3_600 } } },
];

function check({ direction, terms, use: changes, usage }: Case) {
  const account = direction === 'lend' ? LENDER : BORROWER;
  return refusals(consentOf(account, terms), { ...emptyUsage(account), ...usage }, use(direction, changes));
}

describe('refusals', () => {
  it.each(refused)('$direction: $code past the limit', (refusedCase) => {
    expect(check(refusedCase).map(({ code }) => code)).toEqual([refusedCase.code]);
  });

  it.each(atTheLimit)('$direction: no $code at the limit', (covered) => {
    expect(check(covered)).toEqual([]);
  });

  it('names the field and both values', () => {
    const [refusal] = check({ code: '', direction: 'lend', usage: { lentUnits: 7 } });
    expect(refusal?.field).toBe('lend.maxUnits');
    expect(refusal?.detail).toBe('the consent allows 8 units at a time, 7 are in use and 2 are wanted');
  });

  it('gives every reason, not only the first', () => {
    const codes = check({
      code: '',
      direction: 'borrow',
      terms: { groupNames: ['batch'], requiredTenancy: 'dedicated' },
      use: { units: 11, latencyMillis: 50 },
    }).map(({ code }) => code);
    expect(codes).toEqual([
      'group-not-covered',
      'tenancy-required',
      'latency-too-long',
      'units-exceeded',
      'share-exceeded',
    ]);
  });

  it('covers nothing without a valid consent or without the direction', () => {
    const revoked = consentOf(LENDER, {}, { status: 'revoked' });
    const { lend: _, ...borrowOnly } = termsOf();
    const code = (consent: Parameters<typeof refusals>[0]) =>
      refusals(consent, emptyUsage(LENDER), use('lend')).map((r) => r.code);
    expect(code(undefined)).toEqual(['no-consent']);
    expect(code(revoked)).toEqual(['consent-revoked']);
    expect(code({ ...consentOf(LENDER), terms: borrowOnly })).toEqual(['direction-not-agreed']);
  });

  it('takes a notice that nobody promised for none', () => {
    const { recallNoticeSeconds: _, ...silent } = use('borrow');
    const codes = refusals(consentOf(BORROWER), emptyUsage(BORROWER), silent).map(({ code }) => code);
    expect(codes).toEqual(['recall-notice-too-short']);
    const undemanding = consentOf(BORROWER, { borrow: { ...borrow, minRecallNoticeSeconds: 0 } });
    expect(refusals(undemanding, emptyUsage(BORROWER), silent)).toEqual([]);
  });
});

describe('pairRefusals and ownRefusals', () => {
  it('leave out what depends on the loan', () => {
    const closed = { windows: [{ daysOfWeek: [], fromSecondOfDay: 0, toSecondOfDay: 1 }], shortestTermSeconds: 99_999 };
    expect(pairRefusals(consentOf(LENDER, closed), use('lend'))).toEqual([]);
    expect(ownRefusals(consentOf(LENDER, closed), use('lend')).map(({ code }) => code)).toEqual(['outside-windows']);
    expect(pairRefusals(consentOf(LENDER), use('lend', { latencyMillis: 9 })).map(({ code }) => code)).toEqual([
      'latency-too-long',
    ]);
  });
});

describe('withinWindows', () => {
  // Friday 2026-11-06 00:00:00 UTC
  const friday = 1_793_923_200_000;
  const at = (day: number, hour: number) => epochMillis(friday + (day - 5) * 86_400_000 + hour * 3_600_000);
  const night = [{ daysOfWeek: [5], fromSecondOfDay: 22 * 3_600, toSecondOfDay: 6 * 3_600 }];

  it.each([
    [5, 21, false],
    [5, 22, true],
    [5, 23.9, true],
    [6, 0, true],
    [6, 5.99, true],
    [6, 6, false],
    // Friday morning belongs to Thursday's night.
    [5, 3, false],
    [6, 23, false],
  ])('a Friday-night window: day %i at %f h is inside: %s', (day, hour, inside) => {
    expect(withinWindows(night, at(day, hour))).toBe(inside);
  });

  it('wraps from Saturday to Sunday', () => {
    const weekend = [{ daysOfWeek: [6], fromSecondOfDay: 22 * 3_600, toSecondOfDay: 6 * 3_600 }];
    expect(withinWindows(weekend, at(7, 3))).toBe(true);
    expect(withinWindows(weekend, at(6, 3))).toBe(false);
  });

  it('is always open without windows, and never in a window without length', () => {
    expect(withinWindows([], NOW)).toBe(true);
    expect(withinWindows([{ daysOfWeek: [0, 1, 2, 3, 4, 5, 6], fromSecondOfDay: 5, toSecondOfDay: 5 }], NOW)).toBe(
      false,
    );
  });
});
