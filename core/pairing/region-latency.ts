/**
 * Round trips between AWS regions.
 *
 * Measured: average ICMP round trips between EC2 instances in June 2020, of the paper "Efficient Replication via Timestamp
 * Stability" (Enes, Baquero, Gotsman, Sutra, EuroSys 2021), published in its repository github.com/vitorenesduarte/fantoch,
 * folder `latency_aws` (MIT or Apache-2.0), rounded to whole milliseconds.
 *
 * Estimated, for pairs that were not measured: `5 ms + 0.022 ms × great-circle kilometres`. Of the 165 measured pairs 89 %
 * are at or below that line: cables take detours, and light in glass alone needs 0.01 ms a kilometre there and back.
 */
import { kilometresBetween, regionNamed } from './regions.ts';

const MEASURED_REGIONS = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ca-central-1',
  'sa-east-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'me-south-1',
  'af-south-1',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-northeast-1',
  'ap-east-1',
] as const;

/** A row for each of the regions above: milliseconds to each of those after it; `-` was not measured. */
const MEASURED_MILLIS = [
  '11 60 73 15 113 71 76 78 86 105 94 193 216 182 236 198 152 213',
  '51 49 24 125 85 86 88 96 113 104 203 226 189 220 188 155 204',
  '21 78 190 141 137 138 146 163 153 253 276 231 181 137 112 155',
  '66 180 127 145 150 158 157 171 - - 223 163 139 101 -',
  '124 72 89 92 100 114 108 207 224 197 221 196 155 202',
  '184 194 196 203 217 212 311 329 299 338 309 268 315',
  '10 17 24 36 32 132 151 118 187 254 204 220',
  '8 15 27 24 123 143 113 170 274 209 211',
  '9 28 17 117 147 107 171 273 244 200',
  '20 10 122 199 112 178 282 244 203',
  '30 143 166 131 196 295 265 231',
  '129 190 102 159 288 233 193',
  '- 35 91 177 171 -',
  '292 357 413 383 -',
  '63 143 137 98',
  '90 77 35',
  '104 128',
  '51',
];

const ESTIMATE_BASE_MILLIS = 5;
const ESTIMATE_MILLIS_PER_KILOMETRE = 0.022;

function measuredPairs(): Map<string, number> {
  const pairs = new Map<string, number>();
  for (const [row, text] of MEASURED_MILLIS.entries()) {
    for (const [column, cell] of text.split(' ').entries()) {
      if (cell === '-') continue;
      const [from, to] = [MEASURED_REGIONS[row] ?? '', MEASURED_REGIONS[row + 1 + column] ?? ''];
      pairs.set(`${from} ${to}`, Number(cell)).set(`${to} ${from}`, Number(cell));
    }
  }
  return pairs;
}

const MEASURED = measuredPairs();

export interface RegionLatency {
  readonly millis: number;
  readonly source: 'measured' | 'estimated';
}

/** Round trip between two different regions; undefined when either is not known or they are in different partitions. */
export function regionLatency(from: string, to: string): RegionLatency | undefined {
  const [a, b] = [regionNamed(from), regionNamed(to)];
  if (a === undefined || b === undefined || a.partition !== b.partition) return undefined;
  const measured = MEASURED.get(`${from} ${to}`);
  if (measured !== undefined) return { millis: measured, source: 'measured' };
  const estimated = ESTIMATE_BASE_MILLIS + ESTIMATE_MILLIS_PER_KILOMETRE * kilometresBetween(a, b);
  return { millis: Math.ceil(estimated), source: 'estimated' };
}
