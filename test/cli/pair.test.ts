import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { runCli } from '../../cli/main.ts';
import { fleetJsonSchema } from '../../cli/pair-input.ts';
import { pairReportJsonSchema } from '../../cli/pair-output.ts';
import { accountAt, CONSENT, fleetOf, idAt, type Json, pairText, poolAt, reportOf } from './pair-command.ts';

const schemaAt = (name: string) => JSON.parse(readFileSync(`docs/schemas/${name}.schema.json`, 'utf8')) as Json;

/** Idle by day, short by night, and the other way round. */
const DAY = [4, 4, 13, 13];
const NIGHT = [13, 13, 4, 4];
const twoSides = fleetOf([poolAt(0, DAY), poolAt(1, NIGHT)]);

describe('entangle pair', () => {
  it('pairs pools that are short at different hours, with units, score and reasons', async () => {
    const { pairings, bound, fairness, refusedCount, startAt, slots, emptyReason } = await reportOf(twoSides);
    expect(pairings.map(({ lenderPoolId, borrowerPoolId }) => [lenderPoolId, borrowerPoolId])).toEqual([
      [idAt(1), idAt(0)],
      [idAt(0), idAt(1)],
    ]);
    expect(pairings[0]).toMatchObject({
      confidence: 1,
      expectedUnits: [0, 0, 3, 3],
      substance: 'nominal',
      unitRatio: 1,
    });
    expect(pairings[0]?.savingUsd).toEqual({ low: 0, mid: 0, high: 0, expected: 0 });
    expect(pairings[0]?.score.parts).toEqual({ complementarity: 1.346154, proximity: 1.25, trust: 1 });
    expect(pairings[0]?.reasons).toEqual([
      'planned for up to 3 units in 2 of 4 slots (P95)',
      'covers 100 % of the forecast shortage (P95)',
      expect.stringContaining('together they peak 35 % lower than apart'),
      'shares the Availability Zone euw1-az1',
      'a nominal loan moves a ceiling: it saves no money',
    ]);
    expect(bound).toEqual({ unlimitedPartners: 12, served: 12, share: 1, short: 12 });
    expect(fairness).toEqual({ smallestHalfShare: 0.5 });
    expect({ refusedCount, startAt, slots, emptyReason }).toEqual({
      refusedCount: 0,
      startAt: '2026-11-04T00:00:00.000Z',
      slots: 4,
      emptyReason: undefined,
    });
  });

  it('saves what the borrower would have paid on demand, where the loan is of reserved capacity', async () => {
    const lender = poolAt(1, [2, 2, 2, 2], {
      lendsAs: 'physical',
      commitments: [{ kind: 'capacity-reservation', units: 10 }],
    });
    const { pairings } = await reportOf(fleetOf([poolAt(0, DAY, { withoutLending: 'on-demand' }), lender]));
    // Three units in two hours, at 0.1 USD.
    expect(pairings[0]?.savingUsd).toEqual({ low: 0.6, mid: 0.6, high: 0.6, expected: 0.6 });
    expect(pairings[0]?.substance).toBe('physical');
  });

  it('refuses with the gate, the field and the values of both sides', async () => {
    const far = poolAt(1, NIGHT, { instanceType: 'c7g.large' });
    const careful = {
      accountId: accountAt(2),
      consent: { ...CONSENT, lend: { ...CONSENT.lend, minPriceMicroUsdPerUnitHour: 95_000 } },
    };
    const report = await reportOf(fleetOf([poolAt(0, DAY), far, poolAt(2, [1, 1, 1, 1])], { accounts: [careful] }));
    expect(report.pairings).toEqual([]);
    expect(report.emptyReason).toContain('every pair is refused (by gate: instance-type');
    expect(report.refused.filter(({ borrowerPoolId }) => borrowerPoolId === idAt(0))).toEqual([
      {
        lenderPoolId: idAt(1),
        borrowerPoolId: idAt(0),
        gate: 'instance-type',
        field: 'instanceType',
        reason: "the lender's instanceType is c7g.large, the borrower's m7g.large",
      },
      {
        lenderPoolId: idAt(2),
        borrowerPoolId: idAt(0),
        gate: 'price',
        field: 'borrower.borrow.maxPriceMicroUsdPerUnitHour',
        reason:
          'the consent pays at most 90000 micro-dollars a unit-hour, the lender asks for more: at least 95000 for each of its units',
      },
    ]);
    expect(Object.values(report.refusedByGate).reduce((sum, count) => sum + count, 0)).toBe(report.refusedCount);
  });

  it('tells the windows and terms of both consents where they have nothing in common', async () => {
    const at = (fromSecondOfDay: number) => [
      { daysOfWeek: [1], fromSecondOfDay, toSecondOfDay: fromSecondOfDay + 3_600 },
    ];
    const reasonsFor = async (lends: Json, borrows: Json) => {
      const accounts = [
        { accountId: accountAt(0), consent: { ...CONSENT, ...borrows } },
        { accountId: accountAt(1), consent: { ...CONSENT, ...lends } },
      ];
      const { refused } = await reportOf(fleetOf([poolAt(0, DAY), poolAt(1, [1, 1, 1, 1])], { accounts }));
      return refused.map(({ reason }) => reason);
    };
    const [windows] = await reasonsFor({ windows: at(0) }, { windows: at(7_200) });
    expect(windows).toMatch(
      /^no moment suits both consents; the borrower's windows: .*02:00.*; the lender's windows: .*00:00/,
    );
    const [terms] = await reasonsFor({ longestTermSeconds: 900 }, { shortestTermSeconds: 1_200 });
    expect(terms).toBe(
      "no term suits both consents; the borrower's accepts 1200 to 86400 s; the lender's accepts 600 to 900 s",
    );
  });

  it('counts units of another instance type by the declared ratio', async () => {
    const borrower = { ...CONSENT.borrow, substitutions: [{ from: 'm7g.xlarge', to: 'm7g.large', unitRatio: 2 }] };
    const accounts = [{ accountId: accountAt(0), consent: { ...CONSENT, borrow: borrower } }];
    // Six idle units of the smaller type stand in for three of the larger one, of which four are short.
    const pools = [poolAt(0, [14, 10], { instanceType: 'm7g.xlarge' }), poolAt(1, [4, 4])];
    const { pairings, bound } = await reportOf(fleetOf(pools, { accounts }));
    expect(pairings).toHaveLength(1);
    expect(pairings[0]).toMatchObject({ unitRatio: 2, expectedUnits: [3, 0] });
    expect(bound.share).toBe(1);
  });

  it.each([
    ['nothing', [], 'the fleet is empty: there is nobody to pair'],
    ['one pool', [poolAt(0, DAY)], 'the fleet has one pool: a pairing needs two'],
    ['lenders only', [poolAt(0, [1, 1]), poolAt(1, [2, 2])], 'all pools are lenders: none is short in any slot'],
    ['borrowers only', [poolAt(0, [11, 12]), poolAt(1, [12, 12])], 'all pools are borrowers'],
    ['the same hours', [poolAt(0, [4, 13]), poolAt(1, [4, 13])], 'no lender has anything to lend in the slots'],
  ])('gives an empty plan with its reason for a fleet of %s', async (_what, pools, reason) => {
    const report = await reportOf(fleetOf(pools), '--circles', '3');
    expect(report).toMatchObject({ pairings: [], circles: [], bound: { served: 0, share: null } });
    expect(report.emptyReason).toContain(reason);
    const table = await pairText(JSON.stringify(fleetOf(pools)));
    expect(table).toMatchObject({ code: 0, error: '' });
    expect(table.out).toContain(`No pairings: ${reason}`);
  });

  it('holds to the limits of the command, the file and the consent', async () => {
    const small = (n: number) => poolAt(n, [9, 9], { ownedUnits: 10 });
    const pools = [poolAt(0, [16, 4]), ...[1, 2, 3, 4, 5, 6].map(small)];
    const served = async (more: Json, ...argv: string[]) =>
      (await reportOf(fleetOf(pools, more), ...argv)).bound.served;
    expect(await served({})).toBe(3);
    expect(await served({ maxPartners: 4 })).toBe(4);
    expect(await served({ maxPartners: 4 }, '--partners', '5')).toBe(5);
    const accounts = [{ accountId: accountAt(0), consent: { ...CONSENT, maxPartners: 2 } }];
    expect(await served({ accounts }, '--partners', '5')).toBe(2);
  });

  it('lets a lender have any number of borrowers unless its consent or the command says how many', async () => {
    const pools = [poolAt(0, [0, 0]), ...[1, 2, 3, 4, 5].map((n) => poolAt(n, [11, 10]))];
    const served = async (more: Json, ...argv: string[]) =>
      (await reportOf(fleetOf(pools, more), ...argv)).bound.served;
    expect(await served({})).toBe(5);
    expect(await served({ maxPartners: 1 }, '--partners', '1')).toBe(5);
    expect(await served({}, '--borrowers', '4')).toBe(4);
    const accounts = [{ accountId: accountAt(0), consent: { ...CONSENT, maxPartners: 2 } }];
    expect(await served({ accounts }, '--borrowers', '4')).toBe(2);
    expect(await served({ accounts }, '--borrowers', '1')).toBe(1);
  });

  it('makes circles whose members serve each other', async () => {
    const pools = [poolAt(0, DAY), poolAt(1, NIGHT), poolAt(2, DAY), poolAt(3, NIGHT), poolAt(4, [10, 10, 10, 10])];
    const { circles, bound } = await reportOf(fleetOf(pools), '--circles', '2');
    expect(circles?.map(({ poolIds, servedUnitSlots }) => [poolIds.length, servedUnitSlots])).toEqual([
      [2, 12],
      [2, 12],
    ]);
    expect(bound.circles).toBe(24);
  });

  it('explains one pool: every other one with yes or no and why', async () => {
    const pools = [
      poolAt(0, DAY),
      poolAt(1, NIGHT),
      poolAt(2, [10, 4, 10, 10]),
      poolAt(3, [13, 13, 9, 4]),
      poolAt(4, NIGHT, { tenancy: 'dedicated' }),
    ];
    const text = JSON.stringify(fleetOf(pools));
    const report = await reportOf(fleetOf(pools), '--explain', idAt(0), '--partners', '1');
    const verdicts = report.explain?.asBorrower.map(({ lenderPoolId, verdict, gate }) => [lenderPoolId, verdict, gate]);
    expect(verdicts).toEqual([
      [idAt(1), 'paired', undefined],
      [idAt(2), 'not-chosen', undefined],
      [idAt(3), 'not-chosen', undefined],
      [idAt(4), 'refused', 'tenancy'],
    ]);
    expect(report.explain?.asBorrower.map(({ reason }) => reason).slice(1)).toEqual([
      'the lender has nothing to lend in the slots in which the borrower is short',
      'it would cover 67 % of the shortage, which the plan has 1 other lender for',
      "the lender's tenancy is dedicated, the borrower's default",
    ]);
    expect(report.explain?.asLender).toHaveLength(4);
    const { out } = await pairText(text, '--explain', idAt(0));
    expect(out).toMatch(new RegExp(`yes +${idAt(1)} +paired +covers 100 %`));
    expect(out).toMatch(new RegExp(`no +${idAt(4)} +tenancy \\(tenancy\\) +the lender's tenancy`));
  });

  it('has the shape of the published schemas', async () => {
    expect(schemaAt('pair')).toEqual(JSON.parse(pairReportJsonSchema()));
    expect(schemaAt('fleet')).toEqual(JSON.parse(fleetJsonSchema()));
    const schema = z.fromJSONSchema(schemaAt('pair'));
    const full = await reportOf(twoSides, '--circles', '2', '--explain', idAt(0));
    const previous = [{ lenderPoolId: idAt(1), borrowerPoolId: idAt(0) }];
    const later = { ...fleetOf([poolAt(0, DAY, { credits: 3 }), poolAt(1, [10, 10, 10, 10])]), previous };
    for (const report of [full, await reportOf(later), await reportOf(fleetOf([]))]) schema.parse(report);
    expect(schema.safeParse({ ...full, bound: {} }).success).toBe(false);
    expect(JSON.parse((await pairText('', '--schema')).out)).toEqual(schemaAt('pair'));
    expect(JSON.parse((await pairText('', '--input-schema')).out)).toEqual(schemaAt('fleet'));
  });
});

describe('the example of the documentation', () => {
  it('is planned', async () => {
    const [, example] = /```json\n(\{\n {2}"startAt".*?)```/s.exec(readFileSync('docs/pairing.md', 'utf8')) ?? [];
    const { pairings } = await reportOf(JSON.parse(example ?? '') as Json);
    expect(pairings).toMatchObject([{ substance: 'physical', savingUsd: { low: 0.09, high: 0.27 } }]);
  });
});

describe('what entangle pair refuses', () => {
  it('names every mistake of the content with its place, one a line, with exit code 1', async () => {
    const wrong = fleetOf([poolAt(0, DAY, { ownedUnits: -1, colour: 'red' }), poolAt(1, NIGHT, { region: 'mars-1' })]);
    const { code, out, error } = await pairText(JSON.stringify(wrong), '--json');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    const lines = error.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(error).toContain('entangle: standard input: pools[0].ownedUnits: ');
    expect(error).toContain('entangle: standard input: pools[0].colour: unknown field\n');
    expect(error).toContain(
      'entangle: standard input: pools[1].region: expected an AWS region such as eu-central-1, got "mars-1"\n',
    );
  });

  it('counts mistakes beyond the first fifty', async () => {
    const pools = Array.from({ length: 60 }, (_, n) => poolAt(n, DAY, { colour: 'red' }));
    const { error } = await pairText(JSON.stringify(fleetOf(pools)));
    expect(error.trimEnd().split('\n')).toHaveLength(51);
    expect(error).toContain('and 10 more\n');
  });

  it.each(['', '{', '[1, 2', 'pools: []'])('tells that %j is no JSON', async (text) => {
    const { code, out, error } = await pairText(text);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(error).toMatch(/^entangle: standard input: the file: expected JSON in UTF-8: .*\n$/);
  });

  it('tells an infinite number as it was read', async () => {
    const text = JSON.stringify(fleetOf([poolAt(0, [4, 13])])).replace('13', '1e999');
    const { code, error } = await pairText(text);
    expect(code).toBe(1);
    expect(error).toContain('pools[0].need.p50[1]: expected a number of units from 0 to 1000000, got Infinity\n');
  });

  it('tells that a file in another encoding is none in UTF-8', async () => {
    const { code, out, error } = await pairText(Buffer.from(JSON.stringify(twoSides), 'utf16le'));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(error).toMatch(/^entangle: standard input: the file: expected JSON in UTF-8: .*\n$/);
  });

  it('reads JSON with line breaks of Windows, and names of any alphabet', async () => {
    const pools = [poolAt(0, DAY, { groupName: '网页 é🙂' }), poolAt(1, NIGHT, { groupName: '__proto__' })];
    const text = JSON.stringify(fleetOf(pools), undefined, 2).replaceAll('\n', '\r\n');
    const { code, out, error } = await pairText(text);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toContain(`${accountAt(0)}/eu-west-1/网页 é🙂`);
    expect(out).toContain(`${accountAt(1)}/eu-west-1/__proto__`);
  });

  it('reads JSON that begins with a byte order mark', async () => {
    expect(await pairText(`\uFEFF${JSON.stringify(twoSides)}`)).toMatchObject({ code: 0, error: '' });
  });

  it.each([
    [['--partners', '0'], '--partners 0: expected a whole number from 1 to 10'],
    [['--partners', 'three'], '--partners three: expected a whole number from 1 to 10'],
    [['--borrowers', '0'], '--borrowers 0: expected a whole number from 1 to 999'],
    [['--shared-lenders'], "Unknown option '--shared-lenders'"],
    [['--circles', '17'], '--circles 17: expected a whole number from 2 to 16'],
    [['--explain', 'nowhere'], `--explain nowhere: expected the id of a pool of the file, such as ${idAt(0)}`],
    [['--plot', ' '], '--plot: expected a file to write'],
    [['--plot', 'no/such/folder/page.html'], '--plot no/such/folder/page.html: '],
    [['--input', 'no-such-file.json'], '--input no-such-file.json: '],
    [['--input', ''], 'no input: give --input FLEET.json'],
    [['--colour', 'red'], "Unknown option '--colour'"],
  ])('%j is refused in one line with exit code 2', async (argv, message) => {
    const { code, out, error } = await pairText(JSON.stringify(twoSides), ...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain(message);
    expect(error.trimEnd()).not.toContain('\n');
  });
});

describe('the page of entangle pair', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entangle-pair-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('shows idle, short and served units, who serves whom and why, and needs nothing else', async () => {
    const page = join(folder, 'page.html');
    writeFileSync(page, 'an older page');
    const { code, error } = await pairText(JSON.stringify(twoSides), '--plot', page, '--circles', '2');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(readdirSync(folder)).toEqual(['page.html']);
    const html = readFileSync(page, 'utf8');
    for (const part of ['class="idle5"', 'class="short5"', 'class="lent"', 'class="short-line"', 'class="idle-line"']) {
      expect(html).toContain(part);
    }
    expect(html).toContain(`<title>${idAt(1)} lends 6 unit-slots to ${idAt(0)}</title>`);
    expect(html).toContain('planned for up to 3 units in 2 of 4 slots (P95)');
    expect(html).toContain('2026-11-04');
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html).not.toMatch(/<script|<link|<img|@import|https?:|NaN|Infinity|undefined/);
    expect(html.endsWith('</body></html>\n')).toBe(true);
  });

  it('draws names as text, and an empty plan with its reason', async () => {
    const page = join(folder, 'page.html');
    const pools = [poolAt(0, DAY, { groupName: '<b>&' }), poolAt(1, DAY)];
    await pairText(JSON.stringify(fleetOf(pools)), '--plot', page);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('&lt;b&gt;&amp;');
    expect(html).not.toContain('<b>');
    expect(html).toContain('No pairings: no lender has anything to lend');
    await pairText(JSON.stringify(fleetOf([])), '--plot', page);
    expect(readFileSync(page, 'utf8')).toContain('No pairings: the fleet is empty');
  });

  it('is not written when the file is wrong, nor over its input', async () => {
    const [page, file] = [join(folder, 'page.html'), join(folder, 'fleet.json')];
    await pairText('{', '--plot', page);
    expect(existsSync(page)).toBe(false);
    const text = JSON.stringify(twoSides);
    writeFileSync(file, text);
    let told = '';
    const streams = { out: () => undefined, error: (piece: string) => void (told += piece) };
    expect(await runCli(['pair', '--input', file, '--plot', file], {}, streams)).toBe(2);
    expect(told).toContain('expected another file than the input');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
