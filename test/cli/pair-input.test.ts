import { describe, expect, it } from '@jest/globals';
import { FleetError, fleetJsonSchema, parseFleet } from '../../cli/pair-input.ts';
import { fleetPairs } from '../../core/pairing/fleet.ts';
import { pairContext } from '../../core/pairing/pair.ts';
import { accountId } from '../../core/units.ts';

const [SHOP, REPORTS] = ['111111111111', '222222222222'];

/** A value of a JSON file. */
type Json = Record<string, unknown>;

function poolOf(account: string, more: Json = {}): Json {
  return {
    accountId: account,
    region: 'eu-west-1',
    groupName: 'web',
    azIds: ['euw1-az1'],
    instanceType: 'm7g.large',
    networkGbps: 12.5,
    ownedUnits: 10,
    onDemandUsdPerUnitHour: 0.09,
    need: { p50: [4, 12], p90: [5, 13] },
    ...more,
  };
}

const LIMITS = { maxUnits: 8, maxSharePercent: 100, maxUnitHoursPerMonth: 1_000 };
const CONSENT = {
  lend: { ...LIMITS, minPriceMicroUsdPerUnitHour: 10_000, recallNoticeSeconds: 120 },
  borrow: { ...LIMITS, maxPriceMicroUsdPerUnitHour: 90_000, minRecallNoticeSeconds: 60 },
};

function fleet(pools: readonly Json[], more: Json = {}): Json {
  return { startAt: '2026-11-04T00:00:00Z', stepSeconds: 3_600, defaultConsent: CONSENT, pools, ...more };
}

function account(consent: Json, more: Json = {}): Json {
  return { accounts: [{ accountId: SHOP, consent: { ...CONSENT, ...consent }, ...more }] };
}

function linesOf(input: unknown): readonly string[] {
  try {
    parseFleet(input);
  } catch (error) {
    if (error instanceof FleetError) return error.lines;
    throw error;
  }
  return [];
}

describe('parseFleet', () => {
  it('gives what pairing takes, with what the file leaves out', () => {
    const input = parseFleet(fleet([poolOf(SHOP), poolOf(REPORTS, { need: { p50: [2, 2] } })], { maxPartners: 4 }));
    expect(input).toMatchObject({ now: Date.UTC(2026, 10, 4), maxPartners: 4 });
    expect(input.pools[0]).toMatchObject({
      ownedUnits: 10,
      spec: {
        poolId: '111111111111/eu-west-1/web',
        application: 'web',
        platform: 'Linux/UNIX',
        onDemandMicroUsdPerUnitHour: 90_000,
      },
    });
    expect(input.forecasts['111111111111/eu-west-1/web']?.neededUnits).toEqual({
      '0.5': [4, 12],
      '0.9': [5, 13],
      '0.95': [5, 13],
    });
    const { candidates } = fleetPairs(input.pools, pairContext(input));
    expect(candidates.map(({ borrower, match }) => [borrower.spec.accountId, match.shortageSlots])).toEqual([
      [SHOP, 1],
      [REPORTS, 0],
    ]);
  });

  it('takes what is idle and what is short instead of need', () => {
    const balance = { surplusUnits: [6, 0, 0], shortageUnits: [0, 0, 3] };
    const { need: _need, ...pool } = poolOf(SHOP, { reserveUnits: 1, balance });
    const { forecasts } = parseFleet(fleet([pool]));
    // Ten are owned, one is kept: 3 needed leave 6 idle, 9 leave none, 13 are 3 too many.
    expect(forecasts['111111111111/eu-west-1/web']?.neededUnits['0.5']).toEqual([3, 9, 13]);
  });

  it('takes trust as a score or computes it from evidence', () => {
    const kept = { kind: 'loan-kept', at: '2026-11-04T00:00:00Z' };
    const { trust } = parseFleet(
      fleet([], {
        accounts: [
          { accountId: SHOP, trust: 0.4 },
          { accountId: REPORTS, evidence: [kept, kept] },
        ],
      }),
    );
    expect(trust?.[SHOP]).toBe(0.4);
    expect(trust?.[REPORTS]).toBeCloseTo(1 / (0.7 / 0.75 + 0.3 / (5 / 6)), 9);
  });

  it('takes an empty fleet, and accounts without consent', () => {
    expect(parseFleet({ startAt: '2026-11-04T00:00:00Z', stepSeconds: 60, pools: [] }).pools).toEqual([]);
    const { defaultConsent: _consent, ...without } = fleet([poolOf(SHOP)]);
    expect(parseFleet(without).consents[accountId(SHOP)]).not.toHaveProperty('consent');
  });

  it.each([
    [
      'an unknown region',
      poolOf(SHOP, { region: 'eu-west-9' }),
      'pools[0].region: expected an AWS region such as eu-central-1, got "eu-west-9"',
    ],
    [
      'an unknown instance type',
      poolOf(SHOP, { instanceType: 'q9.large' }),
      'pools[0].instanceType: expected a family of EC2 instances before the dot, such as m7g, got q9, got "q9.large"',
    ],
    ['an unknown field', poolOf(SHOP, { ownedUnit: 3 }), 'pools[0].ownedUnit: unknown field'],
    [
      'a zone name',
      poolOf(SHOP, { azIds: ['eu-west-1a'] }),
      'pools[0].azIds[0]: expected an AZ id such as euc1-az1, not a zone name, got "eu-west-1a"',
    ],
    ['negative capacity', poolOf(SHOP, { ownedUnits: -1 }), 'pools[0].ownedUnits: '],
    ['negative need', poolOf(SHOP, { need: { p50: [4, -1] } }), 'pools[0].need.p50[1]: '],
    [
      'a value that is no number',
      poolOf(SHOP, { need: { p50: [4, null] } }),
      'pools[0].need.p50[1]: a number of units, 0 or more, got null',
    ],
    [
      'quantiles out of order',
      poolOf(SHOP, { need: { p50: [4, 12], p90: [5, 11] } }),
      'pools[0].need.p90[1]: expected at least p50 (12), got 11',
    ],
    [
      'another length',
      poolOf(SHOP, { need: { p50: [4, 12], p90: [5] } }),
      'pools[0].need.p90: expected 2 slots as in pools[0].need.p50, got 1',
    ],
    [
      'another step',
      poolOf(SHOP, { stepSeconds: 300 }),
      "pools[0].stepSeconds: expected 3600 as the file's stepSeconds, got 300",
    ],
    [
      'no curve',
      (({ need: _need, ...rest }) => rest)(poolOf(SHOP)),
      'pools[0].need: expected need or balance, got neither',
    ],
    [
      'idle and short at once',
      (({ need: _need, ...rest }) => rest)(poolOf(SHOP, { balance: { surplusUnits: [2], shortageUnits: [1] } })),
      'pools[0].balance.surplusUnits[0]: expected 0 where shortageUnits is above 0: a pool is not idle and short at once',
    ],
    [
      'more idle than owned',
      (({ need: _need, ...rest }) => rest)(poolOf(SHOP, { balance: { surplusUnits: [11], shortageUnits: [0] } })),
      'pools[0].balance.surplusUnits[0]: expected at most 10: what is owned, less what is lent and kept in reserve',
    ],
    [
      'more lent than owned',
      poolOf(SHOP, { lentUnits: 11 }),
      'pools[0].lentUnits: expected at most ownedUnits (10), got 11',
    ],
    [
      'physical loans without a reservation',
      poolOf(SHOP, { lendsAs: 'physical' }),
      'pools[0].lendsAs: expected a commitment of kind capacity-reservation: only reserved capacity is lent physically',
    ],
  ] as [string, Json, string][])('names the place of %s', (_name, pool, expected) => {
    const lines = linesOf(fleet([pool]));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.startsWith(expected)).toBe(true);
  });

  it.each([
    [
      'an account allowed and denied',
      { allowedCounterparties: [REPORTS], deniedCounterparties: [REPORTS] },
      'accounts[0].consent.deniedCounterparties[0]: 222222222222 is in allowedCounterparties too',
    ],
    [
      'terms that exclude each other',
      { shortestTermSeconds: 7_200, longestTermSeconds: 3_600 },
      'accounts[0].consent.longestTermSeconds: expected at least shortestTermSeconds (7200), got 3600',
    ],
    [
      'regions without any of its pools',
      { regions: ['eu-north-1'] },
      "accounts[0].consent.regions: expected a region of one of the account's pools (eu-west-1)",
    ],
    [
      'a group that it has not',
      { groupNames: ['batch'] },
      'accounts[0].consent.groupNames[0]: no pool of the account is named batch',
    ],
    [
      'an empty window',
      { windows: [{ daysOfWeek: [1], fromSecondOfDay: 60, toSecondOfDay: 60 }] },
      'accounts[0].consent.windows[0]: expected a window that is not empty',
    ],
    [
      'a type that stands in for itself by a ratio',
      { borrow: { ...CONSENT.borrow, substitutions: [{ from: 'm7g.large', to: 'm7g.large', unitRatio: 2 }] } },
      'accounts[0].consent.borrow.substitutions[0].unitRatio: expected 1: m7g.large stands in for itself one to one',
    ],
  ] as [string, Json, string][])(
    'names the place of a consent that contradicts itself: %s',
    (_name, consent, expected) => {
      expect(linesOf(fleet([poolOf(SHOP)], account(consent)))).toEqual([expected]);
    },
  );

  it('names what is there twice, and both statements of trust', () => {
    const twice = [{ accountId: SHOP }, { accountId: SHOP, trust: 0.5, evidence: [] }];
    expect(linesOf(fleet([poolOf(SHOP), poolOf(REPORTS), poolOf(SHOP)], { accounts: twice }))).toEqual([
      'pools[2].groupName: 111111111111/eu-west-1/web is in the list already (pools[0])',
      'accounts[1].accountId: 111111111111 is in the list already (accounts[0])',
      'accounts[1].trust: expected trust or evidence, not both',
    ]);
  });

  it('names every wrong field, and the file when it is no object', () => {
    expect(linesOf(fleet([poolOf('12', { region: 1 }), poolOf(REPORTS, { tenancy: 'own' })]))).toHaveLength(3);
    expect(linesOf([])[0]).toMatch(/^the file: /);
    expect(linesOf({ pools: [] })).toEqual([
      expect.stringMatching(/^startAt: .*got nothing$/),
      expect.stringMatching(/^stepSeconds: .*got nothing$/),
    ]);
  });
});

describe('fleetJsonSchema', () => {
  it('describes the file', () => {
    const schema = JSON.parse(fleetJsonSchema()) as { properties: Record<string, unknown>; required: string[] };
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['startAt', 'stepSeconds', 'pools', 'accounts', 'defaultConsent']),
    );
    expect(schema.required).toEqual(['startAt', 'stepSeconds', 'pools']);
  });
});
