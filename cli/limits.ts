import { readFileSync } from 'node:fs';
import type { OrganisationUnit } from '../core/organisation.ts';
import type { UnitLimit, UnitLimits } from '../core/unit-limits.ts';
import type { Output } from './commands.ts';
import type { HubApi } from './hub-api.ts';
import { UsageError } from './usage.ts';

const PAIRING_USAGE = 'entangle pairings limit PAIRING-ID [--units N] [--unit-hours H]';
const ORGANISATION_USAGE = 'entangle organisation [get] or entangle organisation put FILE';

/** Options of `pairings limit`. */
export interface LimitFlags {
  readonly units?: string | undefined;
  readonly 'unit-hours'?: string | undefined;
}

function numberOf(text: string | undefined, option: string, expected: RegExp): number | undefined {
  if (text === undefined) return undefined;
  if (!expected.test(text)) throw new UsageError(`${option} ${text}: expected a number from 0 on`);
  return Number(text);
}

function limitText(limit: UnitLimit | undefined): string {
  if (limit === undefined) return 'no limit';
  const { maxUnits, maxUnitHoursPerMonth } = limit;
  return [
    ...(maxUnits === undefined ? [] : [`${maxUnits} units`]),
    ...(maxUnitHoursPerMonth === undefined ? [] : [`${maxUnitHoursPerMonth} unit-hours a month`]),
  ].join(', ');
}

/** `entangle pairings limit`: what the account allows at most of a pairing; without options: no limit any more. */
export async function limitPairing(api: HubApi, pairingId: string | undefined, flags: LimitFlags): Promise<Output> {
  if (pairingId === undefined) throw new UsageError(`expected: ${PAIRING_USAGE}`);
  const maxUnits = numberOf(flags.units, '--units', /^\d+$/);
  const maxUnitHoursPerMonth = numberOf(flags['unit-hours'], '--unit-hours', /^\d+(\.\d+)?$/);
  const limit = {
    ...(maxUnits === undefined ? {} : { maxUnits }),
    ...(maxUnitHoursPerMonth === undefined ? {} : { maxUnitHoursPerMonth }),
  };
  const pairing = await api.limitPairing(pairingId, Object.keys(limit).length === 0 ? null : limit);
  return { json: { pairing }, text: `pairing ${pairing.pairingId}: ${limitText(pairing.limit)}` };
}

/** The units of a file: a list of them, or a configuration file with `hub.organisation`. */
function unitsIn(path: string): readonly OrganisationUnit[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { hub } = (content ?? {}) as { readonly hub?: { readonly organisation?: unknown } };
  const units = Array.isArray(content) ? (content as unknown[]) : hub?.organisation;
  if (!Array.isArray(units)) {
    throw new UsageError(`${path}: expected a list of organisation units, or a configuration with hub.organisation`);
  }
  // The hub checks every field and names the wrong ones.
  return units as readonly OrganisationUnit[];
}

function directionsText(limits: UnitLimits | undefined): string {
  const stated = (['lend', 'borrow'] as const).filter((direction) => limits?.[direction] !== undefined);
  return stated.map((direction) => `${direction} ${limitText(limits?.[direction])}`).join('; ') || 'no limit';
}

function treeLines(units: readonly OrganisationUnit[], indent = ''): string[] {
  return units.flatMap(({ name, limits, accounts = [], units: below = [] }) => [
    `${indent}${name}  ${directionsText(limits)}${accounts.length === 0 ? '' : `  ${accounts.join(', ')}`}`,
    ...treeLines(below, `${indent}  `),
  ]);
}

/** `entangle organisation`: the units above the account, or all of them for the operator, who also replaces them. */
export async function organisation(api: HubApi, args: readonly string[]): Promise<Output> {
  const [action = 'get', path, ...rest] = args;
  if (rest.length > 0 || (action === 'put') === (path === undefined) || !['get', 'put'].includes(action)) {
    throw new UsageError(`expected: ${ORGANISATION_USAGE}`);
  }
  if (path !== undefined) {
    const answer = await api.putOrganisation(unitsIn(path));
    const changed = answer.changed.join(', ') || 'none';
    return { json: answer, text: `version ${answer.organisation.version}; accounts whose limits changed: ${changed}` };
  }
  const answer = await api.organisation();
  const above = answer.unitsAbove.map(({ name, limits }) => `${name}  ${directionsText(limits)}`);
  const lines = answer.organisation === undefined ? above : treeLines(answer.organisation.units);
  return { json: answer, text: lines.join('\n') || 'no organisation units' };
}
