import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { balancePicture, coverPicture } from '../../../bench/pairing/pictures.ts';

const docs = (name: string) => readFileSync(`docs/${name}`, 'utf8');

describe('the pictures of docs/pairing.md', () => {
  it('are what the script draws now (node bench/pairing-pictures.ts writes them)', () => {
    expect(docs('pairing-balance.svg')).toBe(balancePicture());
    expect(docs('pairing-cover.svg')).toBe(coverPicture(docs('pairing.md')));
  });

  it('say what the pairing serves, hour by hour at most what one pool lacks and the other has idle', () => {
    // Both lack something at 20:00 only: two units of the shop, one of the reports.
    expect(balancePicture()).toMatch(/short in all: (\d+) of (\d+) unit-hours are served/);
    const [, served, short] = /short in all: (\d+) of (\d+)/.exec(balancePicture()) ?? [];
    expect(Number(short) - Number(served)).toBe(3);
  });

  it('take their bars from the rows of the table', () => {
    const table =
      '| out of sample, one | 20 % | ≥ 85 % |\n| out of sample, two: share of the pooled cover | 90.5 % |\n';
    const picture = coverPicture(table);
    expect(picture.indexOf('>two<')).toBeLessThan(picture.indexOf('>one<'));
    expect(picture).toContain('>90.5 %<');
    expect(() => coverPicture('| churn | 3 % |')).toThrow(RangeError);
  });
});
