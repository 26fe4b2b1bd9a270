import type { BenchOptions, BenchReport, BenchRow } from './report.ts';
import { limitRow, plainRow } from './report.ts';
import { runCommand } from './whatif/command-line.ts';
import type { Demand } from './whatif/fleet.ts';
import { cloudWatchSeries, shapedVms } from './whatif/held-out.ts';
import type { PolicyName, Run } from './whatif/runs.ts';
import { ODCR_PERCENTILE, RI_PERCENTILE, runPolicy } from './whatif/runs.ts';
import { competitionSeries, half, hourlyVms, ownTraces, periodicVms, randomVms, sameSize } from './whatif/sets.ts';
import { WrongUse } from './wrong-use.ts';

const SEEDS = 3;
/** Of what was tried besides. */
const TRIED_SEEDS = 1;
const ODCR_COVER_LEAST = 92;
const ODCR_HARM_MOST = 0.15;
const RI_POOLED_LEAST = 40;
const RI_HARM_MOST = 0.2;
const CIRCLES_COVER_LEAST = 85;
const POOL_DAYS_LEAST = 20_000;

const NOTES = [
  'Owned: the 95th (ODCR-like) or 62nd percentile (RI-like) of the first half of the traces; the second half is measured. Alarm 10 min, start-up 5, recall 5, shortest loan 1 h, floor 5 %, at most half lent; parts of units may be lent.',
  'Cover: of the shortage, what loans serve. Harm: demand of lenders left unserved by their loans, of the unit-hours lent. % of pool: of what one pool for all would serve.',
  'profile P90: the peer, a quantile of each time of day, alarms only, smallest deficit first. Perfect forecast: the shipped rules with the future known.',
  'By command line: the command as it is shipped, with its defaults, on files of whole units and consents whose limits are far away.',
  'Goal rows: 100 random VMs of the Azure trace V1 in their own units, 28 days, five-minute values made from hourly means with 7.5 % noise; the mean of three seeds of the noise, harm the worst of them. Rules and constants were chosen on every second VM, then compared on the other sets: docs/what-if.md says which.',
  'Sets: as they were measured hour by hour; all pools of one size; the VMs with a period in measured five-minute values, where bursts of minutes are over before an alarm and the 62nd percentile is noise; hourly series of the M4 competition.',
];

function leastRow(base: BenchRow, least: number): BenchRow {
  return { ...base, goal: `at least ${least}`, met: base.value >= least };
}

function besideRow(base: BenchRow, peer: string, value: number): BenchRow {
  const shown = Number(value.toPrecision(5));
  return { ...base, peer, peerValue: shown, ratio: value === 0 ? null : Number((base.value / value).toPrecision(5)) };
}

const meanOver = (runs: readonly Run[], of: (run: Run) => number | undefined): number =>
  runs.reduce((sum, run) => sum + (of(run) ?? 0), 0) / runs.length;
const worstHarm = (runs: readonly Run[]): number => Math.max(...runs.map(({ harmPercent }) => harmPercent ?? 0));

const cover = ({ coverPercent }: Run) => coverPercent;
const ofPool = ({ ofPooledPercent }: Run) => ofPooledPercent;
const rescued = ({ rescuedPercent }: Run) => rescuedPercent;

/** The goals, beside the peer and a perfect forecast on the same traces. */
function goalRows(folder: string, options: BenchOptions): BenchRow[] {
  const sets = Array.from({ length: SEEDS }, (_, at) => randomVms(folder, options.seed + at));
  const pools = sets[0]?.demand.length ?? 0;
  const run = (percentile: number, policy: PolicyName, seeds = SEEDS) => {
    options.say(`random VMs, owned at P${percentile}: ${policy}`);
    return sets.slice(0, seeds).map((set) => {
      options.signal.throwIfAborted();
      return runPolicy(set, percentile, policy);
    });
  };
  const [odcr, odcrPeer] = [run(ODCR_PERCENTILE, 'shipped'), run(ODCR_PERCENTILE, 'profile90')];
  const odcrPerfect = run(ODCR_PERCENTILE, 'perfect');
  const [ri, riPeer, riPerfect] = [
    run(RI_PERCENTILE, 'shipped'),
    run(RI_PERCENTILE, 'profile90'),
    run(RI_PERCENTILE, 'perfect'),
  ];
  const circles = run(ODCR_PERCENTILE, 'circles');
  const row = (measure: string, value: number, unit: string) => plainRow(measure, value, unit, pools);
  const speed = Math.min(...[...odcr, ...ri].map(({ poolDaysACpuMinute }) => poolDaysACpuMinute));
  const others = (['smallestFirst', 'alarmOnly', 'fixedRisk'] as const).flatMap((policy) =>
    [RI_PERCENTILE, ODCR_PERCENTILE].flatMap((percentile) => {
      const runs = run(percentile, policy, TRIED_SEEDS);
      const name = `tried, ${policy}, owned at P${percentile}`;
      return [
        row(`${name}: % of pool`, meanOver(runs, ofPool), '%'),
        row(`${name}: harm, worst`, worstHarm(runs), '%'),
        row(`${name}: fully rescued minutes`, meanOver(runs, rescued), '%'),
      ];
    }),
  );
  return [
    leastRow(
      besideRow(row('ODCR-like: cover', meanOver(odcr, cover), '%'), 'profile P90', meanOver(odcrPeer, cover)),
      ODCR_COVER_LEAST,
    ),
    besideRow(
      limitRow('ODCR-like: harm, worst', worstHarm(odcr), '%', ODCR_HARM_MOST, pools),
      'profile P90',
      worstHarm(odcrPeer),
    ),
    row('ODCR-like: cover with a perfect forecast', meanOver(odcrPerfect, cover), '%'),
    row(
      'ODCR-like: cover of the oracle',
      meanOver(odcr, ({ oraclePercent }) => oraclePercent),
      '%',
    ),
    row('ODCR-like: fully rescued minutes', meanOver(odcr, rescued), '%'),
    leastRow(
      besideRow(row('RI-like: % of pool', meanOver(ri, ofPool), '%'), 'profile P90', meanOver(riPeer, ofPool)),
      RI_POOLED_LEAST,
    ),
    besideRow(
      limitRow('RI-like: harm, worst', worstHarm(ri), '%', RI_HARM_MOST, pools),
      'profile P90',
      worstHarm(riPeer),
    ),
    row('RI-like: cover', meanOver(ri, cover), '%'),
    row('RI-like: % of pool with a perfect forecast', meanOver(riPerfect, ofPool), '%'),
    row('RI-like: fully rescued minutes', meanOver(ri, rescued), '%'),
    leastRow(row('circles of 16, ODCR-like: cover', meanOver(circles, cover), '%'), CIRCLES_COVER_LEAST),
    limitRow('circles of 16, ODCR-like: harm, worst', worstHarm(circles), '%', ODCR_HARM_MOST, pools),
    leastRow(
      plainRow('account-days of 5-minute steps a CPU minute, slowest', speed, 'account-days/min', 2 * SEEDS),
      POOL_DAYS_LEAST,
    ),
    ...others,
  ];
}

/** Other traces: the shipped policy beside the peer and a perfect forecast. */
function setRows(name: string, demand: Demand, options: BenchOptions): BenchRow[] {
  return [ODCR_PERCENTILE, RI_PERCENTILE].flatMap((percentile) => {
    options.say(`${name}, owned at P${percentile}`);
    options.signal.throwIfAborted();
    const run = (policy: PolicyName) => runPolicy(demand, percentile, policy);
    const [shipped, peer, perfect] = [run('shipped'), run('profile90'), run('perfect')];
    const row = (measure: string, value: number | undefined) =>
      plainRow(`${name}, owned at P${percentile}: ${measure}`, value ?? 0, '%', demand.demand.length);
    return [
      besideRow(row('% of pool', shipped.ofPooledPercent), 'profile P90', peer.ofPooledPercent ?? 0),
      besideRow(
        row('% of pool, beside knowing the future', shipped.ofPooledPercent),
        'perfect forecast',
        perfect.ofPooledPercent ?? 0,
      ),
      besideRow(row('harm', shipped.harmPercent), 'profile P90', peer.harmPercent ?? 0),
    ];
  });
}

/** What is run by the command itself; with a goal, and the most harm, where there is one. */
const COMMANDS = [
  {
    name: 'ODCR-like',
    run: { percentile: ODCR_PERCENTILE, isWhole: true },
    measure: 'coverPercent',
    least: ODCR_COVER_LEAST,
    mostHarm: ODCR_HARM_MOST,
  },
  {
    name: 'RI-like',
    run: { percentile: RI_PERCENTILE, isWhole: true },
    measure: 'ofPooledPercent',
    least: RI_POOLED_LEAST,
    mostHarm: RI_HARM_MOST,
  },
  {
    name: 'circles of 16, ODCR-like',
    run: { percentile: ODCR_PERCENTILE, isWhole: true, scenario: { partners: 'circles' } },
    measure: 'coverPercent',
    least: CIRCLES_COVER_LEAST,
    mostHarm: ODCR_HARM_MOST,
  },
  {
    name: 'ODCR-like, parts of units owned',
    run: { percentile: ODCR_PERCENTILE, isWhole: false },
    measure: 'coverPercent',
  },
  {
    name: 'RI-like, parts of units owned',
    run: { percentile: RI_PERCENTILE, isWhole: false },
    measure: 'ofPooledPercent',
  },
] as const;
const MEASURE_NAMES = { coverPercent: 'cover', ofPooledPercent: '% of pool' } as const;

/** The goals by the command itself, with its defaults, on files written as its page says. */
async function commandRows(demand: Demand, options: BenchOptions): Promise<BenchRow[]> {
  options.say('by command line');
  const reports = await runCommand(
    demand,
    COMMANDS.map(({ run }) => run),
  );
  const pools = demand.demand.length;
  return COMMANDS.flatMap((command, at) => {
    const report = reports[at];
    if (report === undefined) throw new Error(`the command answered nothing to ${command.name}`);
    const { lending, withoutLimits } = report;
    const name = (what: string) => `by command line, ${command.name}: ${what}`;
    const measured = MEASURE_NAMES[command.measure];
    const value = plainRow(name(measured), lending[command.measure] ?? 0, '%', pools);
    if (!('least' in command)) return [value];
    // Where no limit holds a loan back, the command does not run once more without them.
    const unlimited = (withoutLimits ?? lending)[command.measure] ?? 0;
    return [
      leastRow(value, command.least),
      limitRow(name('harm'), lending.harmPercent ?? 0, '%', command.mostHarm, pools),
      leastRow(plainRow(name(`${measured} without limits of consents`), unlimited, '%', pools), command.least),
    ];
  });
}

/** What lending would have done to real demand, beside a simple policy, a perfect forecast and bounds. */
export async function benchWhatIf(options: BenchOptions): Promise<BenchReport> {
  const { data, traces } = options.given;
  if (data === undefined) throw new WrongUse('whatif needs --data DIR, the folder with azure-v1 and m4-hourly');
  const random = randomVms(data, options.seed);
  const sets: (readonly [string, Demand])[] = [
    ['every second VM', half(random, 0)],
    ['the other VMs', half(random, 1)],
    ['VMs of one size', sameSize(random)],
    ['VMs with 2 % noise', randomVms(data, options.seed, 0.02)],
    ['VMs with 15 % noise', randomVms(data, options.seed, 0.15)],
    ['VMs in measured shapes', shapedVms(data, options.seed)],
    ['CloudWatch series', cloudWatchSeries(data)],
    ['VMs hour by hour', hourlyVms(data)],
    ['periodic VMs', periodicVms(data)],
    ['M4 series', competitionSeries(data, options.seed)],
    ...(traces === undefined ? [] : [[traces, await ownTraces(traces)] as const]),
  ];
  const rows = [
    ...(await commandRows(random, options)),
    ...goalRows(data, options),
    ...sets.flatMap(([name, demand]) => setRows(name, demand, options)),
  ];
  return { bench: 'whatif', seed: options.seed, rows, notes: NOTES };
}
