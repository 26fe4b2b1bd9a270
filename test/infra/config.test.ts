import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { enrol } from '../../core/enrolment.ts';
import type { GroupObservation, PoolSpec } from '../../core/pool.ts';
import { epochMillis } from '../../core/units.ts';
import { poolSpecSchema } from '../../functions/adapters/schemas.ts';
import { ConfigError, loadConfig, parseConfig, poolSpecs } from '../../infra/config.ts';
import { configJsonSchema } from '../../infra/json-schema.ts';

type Json = Readonly<Record<string, unknown>>;

const GROUP: GroupObservation = {
  minSize: 0,
  desiredCapacity: 1,
  maxSize: 4,
  inServiceUnits: 1,
  occupiedUnits: 1,
  lendingEnabled: true,
  observedAt: epochMillis(0),
};

const pool = (changes: Json = {}): Json => ({
  groupName: 'web',
  application: 'shop',
  azIds: ['use1-az1'],
  instanceType: 'm7g.large',
  networkGbps: 1,
  onDemandUsdPerUnitHour: 0.0816,
  resources: { cpu: { thresholdPercent: 70, recoveryPercent: 50 } },
  ...changes,
});
const linked = (changes: Json = {}): Json => ({
  accountId: '222222222222',
  name: 'alpha',
  region: 'us-east-1',
  pools: [pool()],
  ...changes,
});
const config = (changes: Json = {}): Json => ({
  hub: { accountId: '111111111111', region: 'us-east-1', externalId: 'a-value-of-ours' },
  linkedAccounts: [linked()],
  ...changes,
});
const withPool = (changes: Json): Json => config({ linkedAccounts: [linked({ pools: [pool(changes)] })] });

function linesOf(input: unknown): string[] {
  try {
    parseConfig(input);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

const POOL = 'linkedAccounts[0].pools[0]';
const STEP = '1, 5, 10, 20, 30 or a multiple of 60, at most 86400 seconds';
const PERIOD = '10, 20, 30 or a multiple of 60, at most 86400 seconds';
const resources = (cpu: Json): Json => ({ resources: { cpu } });

describe('a wrong configuration is answered with the path, what is expected and what was there', () => {
  it.each<[string, Json, string]>([
    [
      'account id as number',
      config({ hub: { accountId: 111111111111, region: 'us-east-1', externalId: 'a-value-of-ours' } }),
      'hub.accountId: expected 12 digits in quotes, got 111111111111',
    ],
    [
      'no hub',
      { linkedAccounts: [linked()] },
      'hub: expected an object with accountId, region, externalId, stuckAfterSeconds, planEveryHours, reconcileEveryMinutes, lookAheadEveryMinutes, lendBy, harmTarget, organisation, capacityEveryMinutes, creditStrength, priorityRules, got nothing',
    ],
    [
      'a probability in percent',
      withPool({ borrowAhead: { atProbability: 60 } }),
      `${POOL}.borrowAhead.atProbability: expected a probability above 0, at most 1, got 60`,
    ],
    [
      'a metric of the application twice',
      withPool({
        applicationMetrics: ['A', 'B'].map((metricName) => ({ name: 'requests', namespace: 'Shop', metricName })),
      }),
      `${POOL}.applicationMetrics[1].name: expected each name once, got "requests"`,
    ],
    [
      'a time zone that does not exist',
      config({ linkedAccounts: [linked({ calendar: { timeZone: 'Berlin' } })] }),
      'linkedAccounts[0].calendar.timeZone: expected a name of the IANA time zone database such as Europe/Berlin, got "Berlin"',
    ],
    [
      'short ExternalId',
      config({ hub: { accountId: '111111111111', region: 'us-east-1', externalId: 'short' } }),
      'hub.externalId: expected 8 to 128 letters, digits or _+=,.@:/-, got "short"',
    ],
    [
      'no accounts',
      config({ linkedAccounts: [] }),
      'linkedAccounts: expected a list of 1 to 10000 linked accounts, got a list of 0',
    ],
    [
      'AZ name',
      withPool({ azIds: ['us-east-1a'] }),
      `${POOL}.azIds[0]: expected an AZ id such as euc1-az1 (not a name such as eu-central-1a), got "us-east-1a"`,
    ],
    [
      'AZ id of another region',
      withPool({ azIds: ['use1-az1', 'usw2-az1'] }),
      `${POOL}.azIds[1]: expected an AZ id of us-east-1, such as use1-az1, got "usw2-az1"`,
    ],
    [
      'AZ id twice',
      withPool({ azIds: ['use1-az1', 'use1-az1'] }),
      `${POOL}.azIds[1]: expected each AZ id once, got "use1-az1"`,
    ],
    [
      'colon in a group name',
      withPool({ groupName: 'a:b' }),
      `${POOL}.groupName: expected the name of an Auto Scaling group: 1 to 234 ASCII characters without a colon, got "a:b"`,
    ],
    [
      'negative reserve',
      withPool({ reserveUnits: -1 }),
      `${POOL}.reserveUnits: expected a whole number of instances from 0 to 100000, got -1`,
    ],
    [
      'fraction of an instance',
      withPool({ provisioningLimitUnits: 1.5 }),
      `${POOL}.provisioningLimitUnits: expected a whole number of instances from 0 to 100000, got 1.5`,
    ],
    [
      'price as text',
      withPool({ onDemandUsdPerUnitHour: '0.1' }),
      `${POOL}.onDemandUsdPerUnitHour: expected a price in US dollars from 0 to 10000, got "0.1"`,
    ],
    [
      'price below a micro-dollar',
      withPool({ onDemandUsdPerUnitHour: 0.1234567 }),
      `${POOL}.onDemandUsdPerUnitHour: expected at most 6 decimal places, got 0.1234567`,
    ],
    [
      'unknown tenancy',
      withPool({ tenancy: 'host' }),
      `${POOL}.tenancy: expected one of default, dedicated, got "host"`,
    ],
    [
      'commitment twice',
      withPool({
        commitments: [
          { kind: 'savings-plan', units: 1 },
          { kind: 'savings-plan', units: 2 },
        ],
      }),
      `${POOL}.commitments[1].kind: expected each kind of commitment once, got "savings-plan"`,
    ],
    [
      'reserved capacity lent that is not reserved',
      withPool({ lendsAs: 'physical', commitments: [{ kind: 'savings-plan', units: 1 }] }),
      `${POOL}.lendsAs: expected a commitment of kind capacity-reservation beside it: only reserved capacity is lent physically, got "physical"`,
    ],
    [
      'isolation that the tenancy does not give',
      withPool({ isolation: 'dedicated-host' }),
      `${POOL}.isolation: expected a level that goes with the tenancy default, got "dedicated-host"`,
    ],
    [
      'isolation that the tenancy is beyond',
      withPool({ isolation: 'nitro', tenancy: 'dedicated' }),
      `${POOL}.isolation: expected a level that goes with the tenancy dedicated, got "nitro"`,
    ],
    [
      'unknown isolation',
      withPool({ isolation: 'alone' }),
      `${POOL}.isolation: expected one of virtualised, nitro, dedicated-instance, dedicated-host, got "alone"`,
    ],
    [
      'encryption as text',
      withPool({ encryptedAtRest: 'yes' }),
      `${POOL}.encryptedAtRest: expected true or false, got "yes"`,
    ],
    [
      'unknown counterfactual',
      withPool({ withoutLending: 'spot' }),
      `${POOL}.withoutLending: expected one of on-demand, own-reservation, no-capacity, got "spot"`,
    ],
    [
      'a discount of a reservation',
      withPool({ commitments: [{ kind: 'capacity-reservation', units: 1, discountFollowsLoan: true }] }),
      `${POOL}.commitments[0].discountFollowsLoan: expected no discountFollowsLoan: a reservation is lent itself, a discount belongs to the other kinds, got true`,
    ],
    [
      'no resource type',
      withPool({ resources: {} }),
      `${POOL}.resources: expected at least one of the fields cpu, memory, network, storage, got an object`,
    ],
    [
      'unknown resource type',
      withPool({ resources: { gpu: {}, cpu: { thresholdPercent: 70, recoveryPercent: 50 } } }),
      `${POOL}.resources.gpu: expected an object with some of the fields cpu, memory, network, storage, got an unknown field`,
    ],
    [
      'recovery at the threshold',
      withPool(resources({ thresholdPercent: 70, recoveryPercent: 70 })),
      `${POOL}.resources.cpu.recoveryPercent: expected less than thresholdPercent (70), got 70`,
    ],
    [
      'threshold above 100',
      withPool(resources({ thresholdPercent: 101, recoveryPercent: 50 })),
      `${POOL}.resources.cpu.thresholdPercent: expected a number above 0, at most 100, got 101`,
    ],
    [
      'alarm period of 45 s',
      withPool({ alarm: { periodSeconds: 45 } }),
      `${POOL}.alarm.periodSeconds: expected ${PERIOD}, got 45`,
    ],
    [
      'more datapoints than periods',
      withPool({ alarm: { evaluationPeriods: 2, datapointsToAlarm: 3 } }),
      `${POOL}.alarm.datapointsToAlarm: expected at most evaluationPeriods (2), got 3`,
    ],
    [
      'an alarm over two days',
      withPool({ alarm: { periodSeconds: 3600, evaluationPeriods: 48 } }),
      `${POOL}.alarm.evaluationPeriods: expected at most 24 periods of 3600 seconds (one day), got 48`,
    ],
    ['history step of 7 s', withPool({ historyStepSeconds: 7 }), `${POOL}.historyStepSeconds: expected ${STEP}, got 7`],
    [
      'seasons out of order',
      withPool({ seasonSteps: [2016, 288] }),
      `${POOL}.seasonSteps[1]: expected more than the season before (2016), got 288`,
    ],
    [
      'misspelt field',
      withPool({ reserveUnit: 1 }),
      `${POOL}.reserveUnit: expected one of the fields groupName, application, azIds, instanceType, platform, tenancy, storageType, networkGbps, vcpusPerUnit, commitments, lendsAs, launchesIntoReservations, encryptedAtRest, isolation, withoutLending, reserveUnits, provisioningLimitUnits, onDemandUsdPerUnitHour, historyStepSeconds, seasonSteps, coolDownSeconds, alarm, applicationMetrics, calendar, borrowAhead, watch, limits, resources, got an unknown field`,
    ],
    [
      'a group twice',
      config({ linkedAccounts: [linked({ pools: [pool(), pool()] })] }),
      'linkedAccounts[0].pools[1].groupName: expected each group once, got "web"',
    ],
    [
      'an account twice in a region',
      config({ linkedAccounts: [linked(), linked()] }),
      'linkedAccounts[1]: expected each account once a region (222222222222/us-east-1 is there already), got an object',
    ],
    [
      'not a region',
      config({ linkedAccounts: [linked({ region: 'Frankfurt' })] }),
      'linkedAccounts[0].region: expected an AWS region such as eu-central-1, got "Frankfurt"',
    ],
    [
      'null',
      config({ linkedAccounts: null }),
      'linkedAccounts: expected a list of 1 to 10000 linked accounts, got null',
    ],
  ])('%s', (_case, input, line) => {
    expect(linesOf(input)).toEqual([line]);
  });

  it('reports all wrong fields at once', () => {
    const lines = linesOf({
      hub: {},
      linkedAccounts: [linked({ pools: [pool({ azIds: [], networkGbps: 0 })] })],
      extra: 1,
    });
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'hub.accountId',
      'hub.region',
      'hub.externalId',
      `${POOL}.azIds`,
      `${POOL}.networkGbps`,
      'extra',
    ]);
  });

  it('is not even an object', () => {
    expect(linesOf([])).toEqual([
      'the file: expected an object with hub, deployRoleName, linkedAccounts, got a list of 0',
    ]);
  });

  it('has more accounts than the policies of a hub can name', () => {
    const accounts = Array.from({ length: 401 }, (_, index) =>
      linked({ accountId: String(200_000_000_000 + index), pools: [] }),
    );
    expect(linesOf(config({ linkedAccounts: accounts }))).toEqual([
      'linkedAccounts: expected at most 400 different accounts a hub (its resource policies hold no more), got a list of 401',
    ]);
  });

  it('is missing, or is not JSON', () => {
    expect(() => loadConfig('/nowhere/entangle.json')).toThrow(
      /^\/nowhere\/entangle\.json: expected the configuration file, got ENOENT: copy entangle\.example\.json/,
    );
    expect(() => loadConfig('core/units.ts')).toThrow(/^core\/units\.ts: expected JSON, got /);
  });
});

describe('a right configuration', () => {
  it('states what enrolling needs, with the defaults filled in', () => {
    const [spec] = poolSpecs(parseConfig(config()));
    expect(spec).toEqual({
      poolId: '222222222222/us-east-1/web',
      accountId: '222222222222',
      region: 'us-east-1',
      groupName: 'web',
      application: 'shop',
      azIds: ['use1-az1'],
      instanceType: 'm7g.large',
      platform: 'Linux/UNIX',
      tenancy: 'default',
      storageType: 'gp3',
      networkGbps: 1,
      vcpusPerUnit: 2,
      commitments: [],
      reserveUnits: 0,
      provisioningLimitUnits: 0,
      onDemandMicroUsdPerUnitHour: 81_600,
      alarmPeriodSeconds: 60,
      historyStepSeconds: 300,
      seasonSteps: [288, 2_016],
      coolDownSeconds: 300,
      resources: {
        cpu: {
          namespace: 'AWS/EC2',
          metricName: 'CPUUtilization',
          statistic: 'Average',
          fullUsePerUnit: 100,
          thresholdPercent: 70,
          recoveryPercent: 50,
        },
      },
    });
  });

  it('states what gates and savings use, and enrolling keeps it', () => {
    const facts = {
      lendsAs: 'physical',
      encryptedAtRest: true,
      isolation: 'nitro',
      withoutLending: 'own-reservation',
      commitments: [
        { kind: 'capacity-reservation', units: 4 },
        { kind: 'savings-plan', units: 2, discountFollowsLoan: true },
      ],
    };
    const [stated] = poolSpecs(parseConfig(withPool(facts)));
    expect(stated).toMatchObject(facts);
    // As `entangle enrol` sends it and the API takes it.
    const spec = poolSpecSchema.parse(JSON.parse(JSON.stringify(stated))) as PoolSpec;
    expect(spec).toEqual(stated);
    const { pool: enrolled } = enrol(undefined, spec, GROUP, 'somebody', epochMillis(0));
    expect(enrolled.spec).toMatchObject(facts);
    // What is not stated is left out, and not false.
    const [plain] = poolSpecs(parseConfig(config()));
    for (const field of ['lendsAs', 'encryptedAtRest', 'isolation', 'withoutLending']) {
      expect(plain).not.toHaveProperty(field);
    }
  });

  it('measures full use of the network in the bytes that an instance can send in one alarm period', () => {
    const network = { thresholdPercent: 70, recoveryPercent: 50 };
    const [spec] = poolSpecs(
      parseConfig(withPool({ networkGbps: 0.8, alarm: { periodSeconds: 300 }, resources: { network } })),
    );
    expect(spec?.resources.network?.fullUsePerUnit).toBe(0.1e9 * 300);
  });

  it('may name metrics of its own', () => {
    const metric = { namespace: 'Shop', metricName: 'Workers', statistic: 'Maximum', fullUsePerUnit: 8 };
    const [spec] = poolSpecs(parseConfig(withPool(resources({ thresholdPercent: 70, recoveryPercent: 50, metric }))));
    expect(spec?.resources.cpu).toEqual({ ...metric, thresholdPercent: 70, recoveryPercent: 50 });
  });

  it('may borrow ahead of an alarm, and name metrics of the application', () => {
    const requests = { name: 'requests', namespace: 'AWS/ApplicationELB', metricName: 'RequestCount' };
    const changes = { borrowAhead: { atProbability: 0.6 }, applicationMetrics: [requests] };
    const [spec] = poolSpecs(parseConfig(withPool({ ...changes, calendar: { monthEnds: true } })));
    expect(spec).toMatchObject({
      borrowAhead: { atProbability: 0.6, aheadSeconds: 3_600, needLevel: '0.9' },
      applicationMetrics: [{ ...requests, dimensions: {}, statistic: 'Sum' }],
    });
    // Its events are no part of what a loan reads and writes.
    expect(spec).not.toHaveProperty('calendar');
  });

  it('is what the example shows', () => {
    expect(poolSpecs(loadConfig('entangle.example.json')).map((spec) => spec.poolId)).toEqual([
      '222222222222/us-east-1/shop-frontend',
      '333333333333/us-east-1/analytics-workers',
    ]);
  });

  it('is described by the published JSON Schema (node infra/write-schema.ts writes it)', () => {
    // The formatter has its own idea of line breaks.
    const published: unknown = JSON.parse(readFileSync('docs/schemas/entangle.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(configJsonSchema()));
  });
});
