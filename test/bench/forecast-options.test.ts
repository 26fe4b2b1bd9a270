import { describe, expect, it } from '@jest/globals';
import { readForecastOptions } from '../../bench/forecast/options.ts';
import { checkDataFolder } from '../../bench/forecast/sources.ts';

describe('readForecastOptions', () => {
  it('takes everything unless it is told otherwise', () => {
    const { every, sets, peers, members, peerEvery } = readForecastOptions({ data: 'd' });
    expect({ every, peerEvery }).toEqual({ every: 1, peerEvery: undefined });
    expect(sets).toContain('azure-5-minutes');
    expect(peers.map(({ name }) => name)).toContain('auto-arima');
    expect(members).toContain('prophet');
  });

  it('takes lists, and the floor alone', () => {
    const asked = { data: 'd', sets: 'nab, m4', peers: 'none', members: 'seasonal-naive', every: '3' };
    expect(readForecastOptions(asked)).toMatchObject({ sets: ['nab', 'm4'], peers: [], members: [], every: 3 });
  });

  it.each([
    [{}, 'forecast needs --data DIR'],
    [{ data: 'd', every: '0' }, '--every 0: expected a whole number from 1'],
    [{ data: 'd', 'peer-every': 'x' }, '--peer-every x: expected a whole number from 1'],
    [{ data: 'd', sets: 'nab,moon' }, '--sets nab,moon: "moon" is not known, there is m4, nab,'],
    [{ data: 'd', members: 'oracle' }, '--members oracle: "oracle" is not known, there is seasonal-naive,'],
    [{ data: 'd', peers: 'oracle' }, '--peers oracle: "oracle" is not known, there is fracast,'],
    [{ data: 'd', peers: ',' }, '--peers: expected at least one of fracast,'],
  ] as const)('refuses %j', (given, message) => {
    expect(() => readForecastOptions(given)).toThrow(message);
  });
});

describe('checkDataFolder', () => {
  it('names what is missing', () => {
    expect(() => checkDataFolder('nowhere')).toThrow('--data nowhere: no such folder');
    expect(() => checkDataFolder('test')).toThrow('--data test: no folder m4-hourly, nab, azure-v1 in it');
  });
});
