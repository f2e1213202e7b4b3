import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeptFilters } from '../../../src/aggregator/filters/kept-filters.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const filter = (text: string) => ({ name: 'web', file: '/etc/filters/web.filter', text });

describe('the kept filter of an emitter', () => {
  it('is read again, with the path of the file for messages', async () => {
    const state = await temporaryDirectory();
    await new KeptFilters(state).keep('file', filter('drop'));
    expect(await new KeptFilters(state).read('file')).toMatchObject(filter('drop'));
    expect(await new KeptFilters(state).read('other')).toBeUndefined();
  });

  it('is removed if a later filter cannot be kept', async () => {
    const state = await temporaryDirectory();
    const kept = new KeptFilters(state);
    await kept.keep('file', filter('stop'));
    const tables = { files: { 'gone.csv': '00' } };
    await expect(kept.keep('file', { ...filter('drop'), tables })).rejects.toThrow('gone.csv');
    expect(await kept.read('file')).toBeUndefined();
  });

  it('leaves no earlier copy after the emitter uses the later one', async () => {
    const state = await temporaryDirectory();
    const kept = new KeptFilters(state);
    await kept.keep('file', filter('stop'));
    await kept.keep('file', filter('drop'));
    expect(await readdir(join(state, 'filters', 'file'))).toHaveLength(3);
    await kept.prune('file');
    expect(await readdir(join(state, 'filters', 'file'))).toHaveLength(2);
    expect(await kept.read('file')).toMatchObject({ text: 'drop' });
  });

  it('is rejected if its description names a file elsewhere', async () => {
    const state = await temporaryDirectory();
    const kept = new KeptFilters(state);
    await kept.keep('file', filter('stop'));
    const manifest = { version: 1, name: 'web', file: 'x', program: '', files: { '../x': '00' } };
    await writeFile(join(state, 'filters', 'file', 'kept.json'), JSON.stringify(manifest));
    await expect(kept.read('file')).rejects.toThrow('another directory');
  });
});
