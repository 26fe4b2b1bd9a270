import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PageFile } from '../../cli/page-file.ts';
import { UsageError } from '../../cli/usage.ts';

describe('PageFile', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entangle-page-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('leaves an older page until the new one is complete', async () => {
    const path = join(folder, 'page.html');
    writeFileSync(path, 'old');
    const page = await PageFile.begin(path, 'new ');
    await page.append('page');
    expect(readFileSync(path, 'utf8')).toBe('old');
    await page.end();
    expect(readFileSync(path, 'utf8')).toBe('new page');
    expect(readdirSync(folder)).toEqual(['page.html']);
  });

  it('leaves nothing of a page that is given up, also twice', async () => {
    const page = await PageFile.begin(join(folder, 'page.html'), 'new');
    await page.giveUp();
    await page.giveUp();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('tells in one line that it cannot be put in its place, and leaves nothing', async () => {
    const path = join(folder, 'taken');
    mkdirSync(join(path, 'inside'), { recursive: true });
    const page = await PageFile.begin(path, 'new');
    await expect(page.end()).rejects.toThrow(UsageError);
    expect(readdirSync(folder)).toEqual(['taken']);
    await expect(PageFile.begin(join(folder, 'no', 'page.html'), '')).rejects.toThrow(/^--plot .*ENOENT/);
  });
});
