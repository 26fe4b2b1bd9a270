import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HubApi } from '../../cli/hub-api.ts';
import { limitPairing, organisation } from '../../cli/limits.ts';
import type { PairingView } from '../../core/pairing/pairing-view.ts';
import { BORROWER } from '../support/fixtures.ts';

const UNITS = [{ name: 'retail', accounts: [BORROWER], limits: { borrow: { maxUnits: 3, maxUnitHoursPerMonth: 40 } } }];

function hub(asked: unknown[]): HubApi {
  const answers: Partial<HubApi> = {
    limitPairing: (pairingId, limit) => {
      asked.push(limit);
      return Promise.resolve({ pairingId, ...(limit === null ? {} : { limit }) } as PairingView);
    },
    organisation: () => Promise.resolve({ unitsAbove: [], organisation: { version: 1, units: UNITS } }),
    putOrganisation: (units) => {
      asked.push(units);
      return Promise.resolve({ organisation: { version: 2, units }, changed: [BORROWER] });
    },
  };
  return answers as HubApi;
}

describe('limits on the command line', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entangle-limits-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('of a pairing are stated in units and unit-hours, and taken away without options', async () => {
    const asked: unknown[] = [];
    const { text } = await limitPairing(hub(asked), 'pr-1', { units: '3', 'unit-hours': '7.5' });
    expect(text).toBe('pairing pr-1: 3 units, 7.5 unit-hours a month');
    expect((await limitPairing(hub(asked), 'pr-1', {})).text).toBe('pairing pr-1: no limit');
    expect(asked).toEqual([{ maxUnits: 3, maxUnitHoursPerMonth: 7.5 }, null]);
    await expect(limitPairing(hub([]), 'pr-1', { units: 'many' })).rejects.toThrow('--units many: expected a number');
    await expect(limitPairing(hub([]), undefined, {})).rejects.toThrow('expected: entangle pairings limit');
  });

  it('of the organisation come from a configuration file or a list', async () => {
    const asked: unknown[] = [];
    const path = join(folder, 'entangle.json');
    for (const content of [{ hub: { organisation: UNITS } }, UNITS]) {
      writeFileSync(path, JSON.stringify(content));
      const { text } = await organisation(hub(asked), ['put', path]);
      expect(text).toBe(`version 2; accounts whose limits changed: ${BORROWER}`);
    }
    expect(asked).toEqual([UNITS, UNITS]);
    expect((await organisation(hub([]), [])).text).toBe(`retail  borrow 3 units, 40 unit-hours a month  ${BORROWER}`);
  });

  it.each([[['put']], [['get', 'x']], [['give', 'x']]])('%j is refused with what was expected', async (args) => {
    await expect(organisation(hub([]), args)).rejects.toThrow('expected: entangle organisation');
  });

  it('name the file that has no units', async () => {
    const path = join(folder, 'other.json');
    writeFileSync(path, '{"hub": {}}');
    await expect(organisation(hub([]), ['put', path])).rejects.toThrow(
      `${path}: expected a list of organisation units`,
    );
    writeFileSync(path, '{');
    await expect(organisation(hub([]), ['put', path])).rejects.toThrow(`${path}: `);
  });
});
