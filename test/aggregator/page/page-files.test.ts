import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPageFiles } from '../../../src/aggregator/page/page-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('more bytes than the limit are not read', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'a.txt'), 'x'.repeat(60));
  await writeFile(join(directory, 'b.txt'), 'x'.repeat(60));
  expect([...(await readPageFiles(directory, { maxBytes: 120 })).keys()].sort()).toEqual([
    '/a.txt',
    '/b.txt',
  ]);
  await expect(readPageFiles(directory, { maxBytes: 119 })).rejects.toThrow('larger than 119 bytes');
});

test('a change of the content changes the ETag', async () => {
  const directory = await temporaryDirectory();
  const etagOf = async (text: string) => {
    await writeFile(join(directory, 'index.html'), text);
    return (await readPageFiles(directory)).get('/index.html')?.etag;
  };
  expect(await etagOf('one')).toBe(await etagOf('one'));
  expect(await etagOf('two')).not.toBe(await etagOf('one'));
});
