import { instanceTypeProblem } from '../core/pairing/instance-types.ts';
import type { FleetFile, FleetPool } from './pair-input.ts';

/** Something that is wrong beside something else in the file. */
export interface Contradiction {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
}

type Terms = NonNullable<FleetFile['defaultConsent']>;

/** The curves of a pool with their places. */
function curvesOf({
  need,
  balance,
}: FleetPool): { readonly path: readonly PropertyKey[]; readonly curve: readonly number[] }[] {
  const levels = (['p10', 'p50', 'p90', 'p95'] as const).flatMap((level) => {
    const curve = need?.[level];
    return curve === undefined ? [] : [{ path: ['need', level], curve }];
  });
  const courses = (need?.courses ?? []).map((curve, index) => ({ path: ['need', 'courses', index], curve }));
  const sides = (['surplusUnits', 'shortageUnits'] as const).flatMap((side) =>
    balance === undefined ? [] : [{ path: ['balance', side], curve: balance[side] }],
  );
  return [...levels, ...courses, ...sides];
}

function curveProblems(file: FleetFile): Contradiction[] {
  const found: Contradiction[] = [];
  let first: { readonly text: string; readonly length: number } | undefined;
  for (const [index, pool] of file.pools.entries()) {
    for (const { path, curve } of curvesOf(pool)) {
      const place = ['pools', index, ...path];
      first ??= { text: `pools[${index}].${path.join('.')}`, length: curve.length };
      if (curve.length === first.length) continue;
      found.push({ path: place, problem: `expected ${first.length} slots as in ${first.text}, got ${curve.length}` });
    }
  }
  return found;
}

function orderProblems(pool: FleetPool, index: number): Contradiction[] {
  const found: Contradiction[] = [];
  const levels = (['p10', 'p50', 'p90', 'p95'] as const).filter((level) => pool.need?.[level] !== undefined);
  for (const [place, level] of levels.entries()) {
    const lower = levels[place - 1];
    if (lower === undefined) continue;
    const [below, above] = [pool.need?.[lower] ?? [], pool.need?.[level] ?? []];
    const slot = above.findIndex((value, at) => value < (below[at] ?? value));
    if (slot < 0) continue;
    const problem = `expected at least ${lower} (${below[slot]}), got ${above[slot]}`;
    found.push({ path: ['pools', index, 'need', level, slot], problem });
  }
  const both = pool.balance?.surplusUnits.findIndex(
    (surplus, slot) => surplus > 0 && (pool.balance?.shortageUnits[slot] ?? 0) > 0,
  );
  if (both !== undefined && both >= 0) {
    const problem = 'expected 0 where shortageUnits is above 0: a pool is not idle and short at once';
    found.push({ path: ['pools', index, 'balance', 'surplusUnits', both], problem });
  }
  const over = pool.balance?.surplusUnits.findIndex(
    (surplus) => surplus > pool.ownedUnits - pool.lentUnits - pool.reserveUnits,
  );
  if (over !== undefined && over >= 0) {
    const most = pool.ownedUnits - pool.lentUnits - pool.reserveUnits;
    const problem = `expected at most ${most}: what is owned, less what is lent and kept in reserve`;
    found.push({ path: ['pools', index, 'balance', 'surplusUnits', over], problem });
  }
  return found;
}

function poolProblems(pool: FleetPool, index: number, file: FleetFile): Contradiction[] {
  const found: Contradiction[] = [];
  const wrong = (field: string, problem: string) => found.push({ path: ['pools', index, field], problem });
  if (pool.need !== undefined && pool.balance !== undefined) wrong('balance', 'expected need or balance, not both');
  if (pool.need === undefined && pool.balance === undefined) wrong('need', 'expected need or balance, got neither');
  if (pool.stepSeconds !== undefined && pool.stepSeconds !== file.stepSeconds) {
    wrong('stepSeconds', `expected ${file.stepSeconds} as the file's stepSeconds, got ${pool.stepSeconds}`);
  }
  if (pool.startAt !== undefined && Date.parse(pool.startAt) !== Date.parse(file.startAt)) {
    wrong('startAt', `expected ${file.startAt} as the file's startAt, got ${pool.startAt}`);
  }
  if (pool.lentUnits > pool.ownedUnits) {
    wrong('lentUnits', `expected at most ownedUnits (${pool.ownedUnits}), got ${pool.lentUnits}`);
  }
  const committed = pool.commitments.reduce((sum, { units }) => sum + units, 0);
  if (committed > pool.ownedUnits) {
    wrong('commitments', `expected at most ownedUnits (${pool.ownedUnits}) in all, got ${committed}`);
  }
  if (pool.lendsAs === 'physical' && !pool.commitments.some(({ kind }) => kind === 'capacity-reservation')) {
    wrong('lendsAs', 'expected a commitment of kind capacity-reservation: only reserved capacity is lent physically');
  }
  const isDedicated = pool.isolation?.startsWith('dedicated-');
  if (isDedicated !== undefined && isDedicated !== (pool.tenancy === 'dedicated')) {
    wrong('isolation', `expected a level that goes with the tenancy ${pool.tenancy}, got ${pool.isolation}`);
  }
  if (new Set(pool.azIds).size < pool.azIds.length) wrong('azIds', 'expected each AZ id once');
  return [...found, ...orderProblems(pool, index)];
}

/** Places of values that stand before in the list, with the first place. */
function repeated(
  values: readonly string[],
): { readonly index: number; readonly first: number; readonly value: string }[] {
  const places = new Map<string, number>();
  return values.flatMap((value, index) => {
    const first = places.get(value);
    if (first !== undefined) return [{ index, first, value }];
    places.set(value, index);
    return [];
  });
}

function repeatedIn(list: readonly PropertyKey[], field: string, values: readonly string[]): Contradiction[] {
  return repeated(values).map(({ index, first, value }) => ({
    path: [...list, index, field],
    problem: `${value} is in the list already (${String(list.at(-1))}[${first}])`,
  }));
}

function duplicates(file: FleetFile): Contradiction[] {
  const poolIds = file.pools.map(poolIdOf);
  const accountIds = file.accounts.map(({ accountId }) => accountId);
  const commitments = file.pools.flatMap((pool, index) => {
    const kinds = pool.commitments.map(({ kind }) => kind);
    return repeatedIn(['pools', index, 'commitments'], 'kind', kinds);
  });
  const evidence = file.accounts.flatMap((account, index) => {
    // Evidence without an id is told apart by its place.
    const ids = (account.evidence ?? []).map(({ evidenceId }, at) => evidenceId ?? `#${at}`);
    return repeatedIn(['accounts', index, 'evidence'], 'evidenceId', ids);
  });
  return [
    ...repeatedIn(['pools'], 'groupName', poolIds),
    ...repeatedIn(['accounts'], 'accountId', accountIds),
    ...commitments,
    ...evidence,
  ];
}

const poolIdOf = ({ accountId, region, groupName }: FleetPool) => `${accountId}/${region}/${groupName}`;

function previousProblems({ previous = [], pools }: FleetFile): Contradiction[] {
  const known = new Set(pools.map(poolIdOf));
  const again = repeated(previous.map(({ lenderPoolId, borrowerPoolId }) => `${lenderPoolId}\n${borrowerPoolId}`));
  const twice = again.map(({ index, first }) => ({
    path: ['previous', index],
    problem: `the same pairing is in the list already (previous[${first}])`,
  }));
  const wrong = previous.flatMap(({ lenderPoolId, borrowerPoolId }, index): Contradiction[] => {
    const at = (field: string, problem: string) => ({ path: ['previous', index, field], problem });
    return [
      ...(known.has(lenderPoolId) ? [] : [at('lenderPoolId', unknownPool(lenderPoolId))]),
      ...(known.has(borrowerPoolId) ? [] : [at('borrowerPoolId', unknownPool(borrowerPoolId))]),
      ...(lenderPoolId === borrowerPoolId ? [at('borrowerPoolId', 'expected another pool than lenderPoolId')] : []),
    ];
  });
  return [...wrong, ...twice];
}

const unknownPool = (id: string) => `expected a pool of the file as account/region/group, got ${JSON.stringify(id)}`;

function strayProblems(file: FleetFile): Contradiction[] {
  const found: Contradiction[] = [];
  if (file.switchingCostUnitHours !== undefined && file.previous === undefined) {
    found.push({ path: ['switchingCostUnitHours'], problem: 'expected previous beside it: what is in force' });
  }
  if (file.creditStrength !== undefined && file.pools.every(({ credits }) => credits === undefined)) {
    found.push({ path: ['creditStrength'], problem: 'expected credits of some pool beside it' });
  }
  return found;
}

function consentProblems(terms: Terms, path: readonly PropertyKey[]): Contradiction[] {
  const found: Contradiction[] = [];
  const wrong = (field: readonly PropertyKey[], problem: string) => found.push({ path: [...path, ...field], problem });
  if (terms.lend === undefined && terms.borrow === undefined) wrong([], 'expected lend, borrow or both');
  if (terms.shortestTermSeconds > terms.longestTermSeconds) {
    wrong(
      ['longestTermSeconds'],
      `expected at least shortestTermSeconds (${terms.shortestTermSeconds}), got ${terms.longestTermSeconds}`,
    );
  }
  for (const [index, account] of terms.deniedCounterparties.entries()) {
    if (terms.allowedCounterparties.includes(account)) {
      wrong(['deniedCounterparties', index], `${account} is in allowedCounterparties too`);
    }
  }
  for (const [index, window] of terms.windows.entries()) {
    if (window.fromSecondOfDay === window.toSecondOfDay)
      wrong(['windows', index], 'expected a window that is not empty');
  }
  for (const [index, { from, to, unitRatio }] of (terms.borrow?.substitutions ?? []).entries()) {
    for (const [side, type] of Object.entries({ from, to })) {
      const problem = instanceTypeProblem(type);
      if (problem !== undefined) wrong(['borrow', 'substitutions', index, side], problem);
    }
    if (from === to && unitRatio !== 1) {
      wrong(['borrow', 'substitutions', index, 'unitRatio'], `expected 1: ${from} stands in for itself one to one`);
    }
  }
  return found;
}

function accountProblems(file: FleetFile): Contradiction[] {
  return file.accounts.flatMap((account, index): Contradiction[] => {
    const path = ['accounts', index];
    const own = file.pools.filter(({ accountId }) => accountId === account.accountId);
    const found: Contradiction[] = [];
    if (account.trust !== undefined && account.evidence !== undefined) {
      found.push({ path: [...path, 'trust'], problem: 'expected trust or evidence, not both' });
    }
    for (const [place, { at }] of (account.evidence ?? []).entries()) {
      if (Date.parse(at) <= Date.parse(file.startAt)) continue;
      const problem = `expected a time up to ${file.startAt}, the file's startAt, got ${at}`;
      found.push({ path: [...path, 'evidence', place, 'at'], problem });
    }
    const { consent } = account;
    if (consent === undefined) return found;
    for (const [place, name] of consent.groupNames.entries()) {
      if (own.some(({ groupName }) => groupName === name)) continue;
      found.push({
        path: [...path, 'consent', 'groupNames', place],
        problem: `no pool of the account is named ${name}`,
      });
    }
    const reached = consent.regions.length === 0 || own.some(({ region }) => consent.regions.includes(region));
    if (own.length > 0 && !reached) {
      const problem = `expected a region of one of the account's pools (${own.map(({ region }) => region).join(', ')})`;
      found.push({ path: [...path, 'consent', 'regions'], problem });
    }
    return [...found, ...consentProblems(consent, [...path, 'consent'])];
  });
}

/** What in a file contradicts something else in it; empty when nothing does. */
export function contradictions(file: FleetFile): Contradiction[] {
  return [
    ...duplicates(file),
    ...file.pools.flatMap((pool, index) => poolProblems(pool, index, file)),
    ...curveProblems(file),
    ...accountProblems(file),
    ...previousProblems(file),
    ...strayProblems(file),
    ...(file.defaultConsent === undefined ? [] : consentProblems(file.defaultConsent, ['defaultConsent'])),
  ];
}
