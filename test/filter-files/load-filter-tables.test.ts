import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadFilterTables } from '../../src/filter-files/load-filter-tables.ts';
import { geoDatabase } from '../../testkit/geo-database.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function directoryWith(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const directory = await temporaryDirectory();
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}

test('finds the entries of a MaxMind database', async () => {
  const paris = { city: { names: { en: 'Paris' } }, location: { latitude: 48.5 } };
  const database = geoDatabase({ '81.2.69.0/24': paris, '10.0.0.1': { city: { names: { en: 'Rome' } } } });
  const directory = await directoryWith({ 'a.mmdb': database });
  const { geoip } = await loadFilterTables({ directory, geoipFile: join(directory, 'a.mmdb') });
  expect(geoip?.('81.2.69.142')).toMatchObject(paris);
  expect(geoip?.('10.0.0.1')).toMatchObject({ city: { names: { en: 'Rome' } } });
  for (const none of ['81.2.70.1', '10.0.0.2', '::1']) expect(geoip?.(none)).toBeUndefined();
});

test('reports a file that is no MaxMind database', async () => {
  const directory = await directoryWith({ 'a.mmdb': 'nonsense' });
  const files = { directory, geoipFile: join(directory, 'a.mmdb') };
  await expect(loadFilterTables(files)).rejects.toThrow('is not a MaxMind database');
});

test('knows the patterns of the files beside a filter, and those of further files', async () => {
  const directory = await directoryWith({ 'own.patterns': 'TICKET T-[0-9]+\n', 'ignored.txt': 'OTHER x\n' });
  const further = await directoryWith({ grok: 'ORDER O-[0-9]+\n' });
  const { patternLines } = await loadFilterTables({ directory, patternFiles: [join(further, 'grok')] });
  expect(patternLines.map(({ name }) => name)).toEqual(['TICKET', 'ORDER']);
});

test('reads tables of CSV and JSON', async () => {
  const directory = await directoryWith({
    'a.csv': 'host,team\nweb-1,"shop, web"\nweb-1,shop\n',
    'a.json': '{"x": {"n": 1}, "y": "z"}',
  });
  const { lookup } = await loadFilterTables({ directory });
  expect(lookup('a.csv')).toEqual({
    columns: ['host', 'team'],
    rows: new Map([['web-1', ['web-1', 'shop']]]),
  });
  expect(lookup('a.json')).toEqual({
    columns: ['key', 'n', 'value'],
    rows: new Map([
      ['x', ['x', '1', '']],
      ['y', ['y', '', 'z']],
    ]),
  });
});

test.each(['../a.csv', '/etc/passwd', 'none.csv', ''])('returns a reason for the table %j', async (file) => {
  const { lookup } = await loadFilterTables({ directory: await directoryWith({}) });
  expect(typeof lookup(file)).toBe('string');
});

test('returns a reason for a table that is a pipe', async () => {
  const directory = await directoryWith({});
  execFileSync('mkfifo', [join(directory, 'a.csv')]);
  const { lookup } = await loadFilterTables({ directory });
  expect(lookup('a.csv')).toBe('it is not a regular file');
});

test('own patterns win over those of the product, and each line has a verdict', async () => {
  const directory = await directoryWith({ p: 'IP x+\nBAD (?=y)\n' });
  const { patterns, patternLines } = await loadFilterTables({
    directory,
    patternFiles: [join(directory, 'p')],
  });
  expect(patterns.compileNamed('IP').test('xx')).toBe(true);
  expect(patternLines.map(({ verdict }) => verdict)).toEqual(['linear', 'refused']);
});
