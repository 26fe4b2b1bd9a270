import { describe, expect, it } from '@jest/globals';
import { loadMembers, MODEL_NAMES } from '../../models/members.ts';

describe('the models of a forecaster', () => {
  it('are loaded by name, each once, in one order', async () => {
    const { members, close } = await loadMembers(['theta', 'arima', 'theta']);
    expect(members.map(({ name }) => name)).toEqual(['arima', 'theta']);
    await close();
  });

  it('are none besides the floor when only that is named', async () => {
    expect((await loadMembers(['seasonal-naive'])).members).toEqual([]);
    expect((await loadMembers([])).members).toEqual([]);
  });

  it('are refused by a name that is not known, with those that are', async () => {
    await expect(loadMembers(['arima', 'ets'])).rejects.toThrow(
      `model "ets": expected one or more of ${MODEL_NAMES.join(', ')}, seasonal-naive`,
    );
    await expect(loadMembers(['toString'])).rejects.toThrow(RangeError);
  });
});
