import { leadingIndicator } from '../core/forecast/leading-indicator.ts';
import type { ForecastMember } from '../core/forecast/member.ts';
import { pointMember } from '../core/forecast/point-member.ts';
import { seasonalArima } from '../core/forecast/seasonal-arima.ts';
import { theta } from '../core/forecast/theta.ts';

/** A model that may hold a thread or a session until it is closed. */
interface OpenMember extends ForecastMember {
  close?(): Promise<void>;
}

/** The models of a forecaster, ready to be asked. */
export interface LoadedMembers {
  readonly members: readonly ForecastMember[];
  /** Ends the threads and sessions of the models, so that the process can end. No forecast may be running. */
  readonly close: () => Promise<void>;
}

/** It is in every combination, whether it is named or not. */
const FLOOR = 'seasonal-naive';

/** Libraries and weights are loaded with the model that needs them. */
const LOADERS: Readonly<Record<string, () => OpenMember | Promise<OpenMember>>> = {
  arima: () => pointMember(seasonalArima),
  theta: () => pointMember(theta),
  'leading-indicator': () => leadingIndicator,
  lstm: async () => (await import('./lstm/lstm.ts')).loadLstm(),
  prophet: async () => (await import('./prophet/prophet.ts')).createProphet(),
};

/** Names of the models that a forecaster may have, besides the floor that it always has. */
export const MODEL_NAMES: readonly string[] = Object.keys(LOADERS);

/** A model whose library or weights cannot be loaded fails at every series, as any other that fails. */
async function loaded(name: string): Promise<OpenMember> {
  try {
    const member = await LOADERS[name]?.();
    if (member === undefined) throw new Error('no such model');
    return member;
  } catch (error) {
    const reason = `cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
    return { name, forecastFrom: () => Promise.reject(new Error(reason)) };
  }
}

/**
 * Loads models by name, each once, in the order of `MODEL_NAMES`.
 * @param names of models; absent: all. "seasonal-naive" may be among them and adds nothing: every forecaster has it
 * @throws RangeError at a name that is not known; the message lists those that are
 */
export async function loadMembers(names: readonly string[] = MODEL_NAMES): Promise<LoadedMembers> {
  for (const name of names) {
    if (MODEL_NAMES.includes(name) || name === FLOOR) continue;
    throw new RangeError(`model "${name}": expected one or more of ${[...MODEL_NAMES, FLOOR].join(', ')}`);
  }
  const members = await Promise.all(MODEL_NAMES.filter((name) => names.includes(name)).map(loaded));
  return {
    members,
    async close() {
      await Promise.all(members.flatMap((member) => (member.close === undefined ? [] : [member.close()])));
    },
  };
}
