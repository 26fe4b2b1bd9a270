import { describe, expect, it } from '@jest/globals';
import { storyJson } from '../../story/json.ts';
import { ceilingRange, judge, sampleAt } from '../../story/result.ts';
import { storyTables, textTable } from '../../story/table.ts';
import { loanOf, planOf, resultOf, resultWith, START } from './fixtures.ts';

const broken = (result: Parameters<typeof judge>[0]) =>
  judge(result)
    .statements.filter(({ holds }) => !holds)
    .map(({ text }) => text);

describe('judge', () => {
  it('accepts a loan that was active and came back', () => {
    expect(judge(resultOf()).ok).toBe(true);
  });

  it.each([
    ['a ceiling that stayed up', resultWith(0, { ceilingAfter: 24 }), 'ceilings differ from before: shop 20 → 24'],
    [
      'a ledger that does not balance',
      resultWith(1, { postedMicroUsd: 359_999 }),
      'the ledger balance over all accounts is -1 micro-dollars, nothing is pending',
    ],
    ['money that is still reserved', resultWith(0, { pendingMicroUsd: -5 }), 'amounts are still pending: shop'],
    [
      'a damaged chain',
      resultWith(2, { auditFaults: ['record 3 is missing'] }),
      'audit chains are damaged: mail (record 3 is missing)',
    ],
    [
      'no loan in the built-in traces',
      resultOf({ loans: [], alarms: [] }),
      'requests lent, active and given back: 0 of 0',
    ],
    [
      'a loan that a failure ended',
      resultOf({ loans: [loanOf({ returnReason: 'step-failed' })] }),
      'requests lent, active and given back: 0 of 1',
    ],
    [
      'a request that was refused',
      resultOf({ loans: [loanOf({ state: 'refused', endDetail: 'nobody can lend' })] }),
      'requests lent, active and given back: 0 of 1',
    ],
  ])('refuses %s', (_, result, text) => {
    expect(broken(result)).toEqual([text]);
  });

  it('lets the user’s own traces be quiet, and says so', () => {
    const verdict = judge(resultOf({ builtIn: false, loans: [], alarms: [] }));
    expect(verdict.ok).toBe(true);
    expect(verdict.statements[0]?.text).toBe('no alarm fired in these traces, so nothing was lent');
  });
});

describe('sampleAt', () => {
  it('places moments between samples', () => {
    expect(sampleAt(resultOf(), START + 1_500)).toBe(1_081.5);
  });
});

describe('ceilingRange', () => {
  it('covers what was before and during', () => {
    expect([0, 1, 2].map((index) => ceilingRange(resultOf(), index))).toEqual([
      { lowest: 20, highest: 24 },
      { lowest: 56, highest: 60 },
      { lowest: 40, highest: 40 },
    ]);
  });
});

describe('storyTables', () => {
  it('tells who lent what to whom, when in trace time, why and for how much', () => {
    const loanLine = storyTables(resultOf())
      .split('\n')
      .find((line) => line.startsWith('reports'));
    expect(loanLine?.split(/ {2,}/)).toEqual([
      'reports',
      'shop',
      '4 units',
      'day 4, 18:50',
      'day 4, 19:00',
      'day 4, 22:00',
      '3 h 00 min',
      'memory alarm',
      'returned: the term ended',
      '0.360000 USD',
    ]);
  });

  it('tells ceilings before, during and after, the ledger and the audit chain', () => {
    const line = storyTables(resultOf())
      .split('\n')
      .find((text) => text.startsWith('shop ('));
    expect(line?.split(/ {2,}/)).toEqual([
      'shop (111111111111)',
      '20',
      '20 … 24',
      '20',
      '-0.360000 USD',
      '4 records, intact',
    ]);
  });

  it('says why a request was refused', () => {
    const refused = resultOf({ loans: [loanOf({ state: 'refused', endDetail: 'nobody can lend' })] });
    expect(storyTables(refused)).toContain('refused: nobody can lend');
  });
});

describe('textTable', () => {
  it('aligns columns', () => {
    expect(
      textTable(
        [{ title: 'a' }, { title: 'n', right: true }],
        [
          ['long', '1'],
          ['x', '100'],
        ],
      ),
    ).toBe(['a       n', '────  ───', 'long    1', 'x     100'].join('\n'));
  });
});

describe('storyJson', () => {
  it('carries the same facts for programs', () => {
    const json = JSON.parse(JSON.stringify(storyJson(resultOf(), '/x/report.html'))) as Record<string, unknown>;
    expect(json).toMatchObject({
      ok: true,
      completedLoans: 1,
      ledgerBalanceMicroUsd: 0,
      report: '/x/report.html',
      time: { traceSecondsPerSecond: 300, priceFactor: 300 },
      loans: [
        { lender: 'reports', borrower: 'shop', units: 4, returnReason: 'expired', active: { trace: 'day 4, 19:00' } },
      ],
      accounts: [{ ceiling: { before: 20, during: { lowest: 20, highest: 24 }, after: 20 } }, {}, {}],
    });
  });

  it('carries the peaks that were expected', () => {
    const json = JSON.parse(JSON.stringify(storyJson(resultWith(0, { plan: planOf() }), '/x/report.html'))) as unknown;
    expect(json).toMatchObject({
      accounts: [
        { expectedPeaks: [{ neededUnits: { '0.5': 21, '0.9': 24 }, probability: 0.83, resource: 'memory' }] },
        { expectedPeaks: [] },
        { expectedPeaks: [] },
      ],
    });
  });
});
