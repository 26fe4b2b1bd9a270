import type { RequestView } from '../core/lending/request-view.ts';
import type { Output } from './commands.ts';
import type { HubApi } from './hub-api.ts';
import { UsageError } from './usage.ts';

const USAGE = 'entangle requests [list] or entangle requests cancel REQUEST-ID';

const timeText = (at: number): string => new Date(at).toISOString();

function requestText(request: RequestView): string {
  const { requestId, state, poolId, wantedUnits, filledUnits, missingUnits, minimumUnits, place } = request;
  const units = `${filledUnits} of ${wantedUnits} units, ${missingUnits} asked for, ${minimumUnits} at least`;
  const head = `${requestId}  ${state.padEnd(7)}  ${poolId}  ${units}  tier ${request.slaTier}, ${request.criticality}`;
  const parts = request.parts.map(
    ({ loanId, state: of, kind, units: many }) => `  ${loanId}  ${of}  ${many} units  ${kind}`,
  );
  if (place === undefined) return [head, ...parts].join('\n');
  const expected = place.expectedAt === undefined ? 'no time expected' : `expected at ${timeText(place.expectedAt)}`;
  const queue = `  place ${place.rank} since ${timeText(place.since)}, until ${timeText(place.until)}; ${expected}`;
  return [head, queue, ...place.before.map((text) => `  ${text}`), ...parts].join('\n');
}

/** Lists the requests of the account, or cancels one. @throws UsageError */
export async function requests(api: HubApi, args: readonly string[]): Promise<Output> {
  const [action = 'list', requestId, ...rest] = args;
  if (rest.length > 0) throw new UsageError(`expected: ${USAGE}`);
  if (action === 'list' && requestId === undefined) {
    const found = await api.requests();
    return { json: { requests: found }, text: found.length === 0 ? 'no requests' : found.map(requestText).join('\n') };
  }
  if (action !== 'cancel' || requestId === undefined) throw new UsageError(`expected: ${USAGE}`);
  const answer = await api.cancelRequest(requestId);
  const back = answer.givenBack.length === 0 ? '' : `; given back, as too little: ${answer.givenBack.join(', ')}`;
  return { json: answer, text: `${requestId}: ${answer.units} units are asked for no more${back}` };
}
