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
    const given = fleet([poolOf(SHOP), poolOf(REPORTS, { need: { p50: [2, 2] } })], { maxPartners: 4 });
    const { input, maxPartners } = parseFleet(given);
    expect([input.now, maxPartners]).toEqual([Date.UTC(2026, 10, 4), 4]);
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
    const { forecasts } = parseFleet(fleet([pool])).input;
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
    ).input;
    expect(trust?.[SHOP]).toBe(0.4);
    expect(trust?.[REPORTS]).toBeCloseTo(1 / (0.7 / 0.75 + 0.3 / (5 / 6)), 9);
  });

  it('takes an empty fleet, and accounts without consent', () => {
    expect(parseFleet({ startAt: '2026-11-04T00:00:00Z', stepSeconds: 60, pools: [] }).input.pools).toEqual([]);
    const { defaultConsent: _consent, ...without } = fleet([poolOf(SHOP)]);
    expect(parseFleet(without).input.consents[accountId(SHOP)]).not.toHaveProperty('consent');
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
      'pools[0].instanceType: expected a family of EC2 instances before the dot, such as m7g, got "q9.large"',
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
      'pools[0].need.p50[1]: expected a number of units from 0 to 1000000, got null',
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
      'no slot at all',
      poolOf(SHOP, { need: { p50: [] } }),
      'pools[0].need.p50: expected a list of 1 to 2000 slots, got a list of 0',
    ],
    [
      'more units than can be counted',
      poolOf(SHOP, { ownedUnits: 1e300 }),
      'pools[0].ownedUnits: expected a whole number of units from 0 to 1000000, got 1e+300',
    ],
    [
      'a name that would break a line',
      poolOf(SHOP, { groupName: 'a\nb' }),
      'pools[0].groupName: expected a name without control characters, got "a\\nb"',
    ],
    [
      'half a character in a name',
      poolOf(SHOP, { groupName: 'a\ud800' }),
      'pools[0].groupName: expected a name without control characters, got "a\\ud800"',
    ],
    [
      'a kind of commitment twice',
      poolOf(SHOP, { commitments: [1, 2].map((units) => ({ kind: 'savings-plan', units })) }),
      'pools[0].commitments[1].kind: savings-plan is in the list already (commitments[0])',
    ],
    [
      'isolation that the tenancy does not give',
      poolOf(SHOP, { isolation: 'dedicated-host' }),
      'pools[0].isolation: expected a level that goes with the tenancy default, got dedicated-host',
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
      'a region that there is not',
      { regions: ['mars-1'] },
      'accounts[0].consent.regions[0]: expected an AWS region such as eu-central-1, got "mars-1"',
    ],
    [
      'a type that there is not',
      { borrow: { ...CONSENT.borrow, substitutions: [{ from: 'q9.large', to: 'm7g.large', unitRatio: 2 }] } },
      'accounts[0].consent.borrow.substitutions[0].from: expected a family of EC2 instances before the dot, such as m7g, got q9',
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

  it.each([
    [
      'an unknown pool in force',
      { previous: [{ lenderPoolId: `${SHOP}/eu-west-1/web`, borrowerPoolId: 'nobody' }] },
      'previous[0].borrowerPoolId: expected a pool of the file as account/region/group, got "nobody"',
    ],
    [
      'a pool in force with itself',
      { previous: [{ lenderPoolId: `${SHOP}/eu-west-1/web`, borrowerPoolId: `${SHOP}/eu-west-1/web` }] },
      'previous[0].borrowerPoolId: expected another pool than lenderPoolId',
    ],
    [
      'a pairing in force twice',
      {
        previous: [0, 1].map(() => ({
          lenderPoolId: `${SHOP}/eu-west-1/web`,
          borrowerPoolId: `${REPORTS}/eu-west-1/web`,
        })),
      },
      'previous[1]: the same pairing is in the list already (previous[0])',
    ],
    [
      'half a pairing in force',
      { previous: [{ lenderPoolId: `${SHOP}/eu-west-1/web` }] },
      'previous[0].borrowerPoolId: expected the id of a pool, got nothing',
    ],
    [
      'a cost that is no number',
      { previous: [], switchingCostUnitHours: 'much' },
      'switchingCostUnitHours: expected a number of unit-hours, 0 or more, got "much"',
    ],
    [
      'a cost below 0',
      { previous: [], switchingCostUnitHours: -1 },
      'switchingCostUnitHours: expected a number of unit-hours, 0 or more, got -1',
    ],
    [
      'a cost of changing nothing',
      { switchingCostUnitHours: 1 },
      'switchingCostUnitHours: expected previous beside it: what is in force',
    ],
    ['a strength of no credits', { creditStrength: 0.5 }, 'creditStrength: expected credits of some pool beside it'],
    ['a strength of 1', { creditStrength: 1 }, 'creditStrength: expected a number from 0 up to 1, 1 excluded, got 1'],
  ] as [string, Json, string][])('names the place of %s', (_name, more, expected) => {
    expect(linesOf(fleet([poolOf(SHOP), poolOf(REPORTS)], more))).toEqual([expected]);
  });

  it('takes credits of some pools, and 0 for the others', () => {
    const { credits, creditStrength } = parseFleet(fleet([poolOf(REPORTS), poolOf(SHOP, { credits: -2.5 })]));
    expect([...(credits ?? [])]).toEqual([
      [`${SHOP}/eu-west-1/web`, -2.5],
      [`${REPORTS}/eu-west-1/web`, 0],
    ]);
    expect(creditStrength).toBe(0.5);
    expect(parseFleet(fleet([poolOf(SHOP)])).credits).toBeUndefined();
    expect(linesOf(fleet([poolOf(SHOP, { credits: '3' })]))).toEqual([
      'pools[0].credits: expected a number of credits, got "3"',
    ]);
  });

  it('names evidence that is there twice, and evidence of what is to come', () => {
    const kept = { kind: 'loan-kept', at: '2026-11-05T00:00:00Z', evidenceId: 'a' };
    const evidence = [{ ...kept, at: '2026-11-03T00:00:00Z' }, kept];
    expect(linesOf(fleet([poolOf(SHOP)], { accounts: [{ accountId: SHOP, evidence }] }))).toEqual([
      'accounts[0].evidence[1].evidenceId: a is in the list already (evidence[0])',
      "accounts[0].evidence[1].at: expected a time up to 2026-11-04T00:00:00Z, the file's startAt, got 2026-11-05T00:00:00Z",
    ]);
  });

  it('names every wrong field, and the file when it is no object', () => {
    expect(linesOf(fleet([poolOf('12', { region: 1 }), poolOf(REPORTS, { tenancy: 'own' })]))).toHaveLength(3);
    expect(linesOf([])).toEqual(['the file: expected object, got a list of 0']);
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
