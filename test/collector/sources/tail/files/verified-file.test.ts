import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileAccess } from '../../../../../src/collector/sources/tail/files/file-access.ts';
import { FilePrefix } from '../../../../../src/collector/sources/tail/files/file-prefix.ts';
import { OpenFiles } from '../../../../../src/collector/sources/tail/files/open-files.ts';
import { VerifiedFile } from '../../../../../src/collector/sources/tail/files/verified-file.ts';
import { checkOf } from '../../../../../src/records/check.ts';
import { temporaryDirectory } from '../../../../support/temporary-directory.ts';
import { numbered } from '../tailing.ts';

const text = numbered(0, 40);
const from = numbered(0, 20).length;
const known = checkOf(Buffer.from(text.slice(0, from)));

async function verified(content: string, { prefixLength = 1024 } = {}) {
  const path = join(await temporaryDirectory(), 'a.log');
  await writeFile(path, content);
  const { dev, ino } = await stat(path);
  const access = new FileAccess({ path, device: String(dev), inode: String(ino) }, new OpenFiles(10));
  onTestFinished(() => access.close());
  let grown = 0;
  const prefix = new FilePrefix(Buffer.from(content.slice(0, 1024))).hash(
    Math.min(prefixLength, content.length),
  );
  return { file: new VerifiedFile(access, { prefix }, { changed: () => grown++ }), path, grown: () => grown };
}

describe('VerifiedFile', () => {
  it('reads the bytes after unchanged bytes, and returns the check of the end', async () => {
    const { file } = await verified(text);
    const bytes = await file.read(from, known, Buffer.alloc(300));
    expect(String(bytes)).toBe(text.slice(from, from + 300));
    expect(file.checkAfter(from, bytes as Buffer)).toBe(checkOf(Buffer.from(text.slice(0, from + 300))));
    const few = await file.read(from, known, Buffer.alloc(5));
    expect(file.checkAfter(from, few as Buffer)).toBe(checkOf(Buffer.from(text.slice(0, from + 5))));
  });

  it('does not read after changed bytes', async () => {
    const { file, path } = await verified(text);
    await file.read(from, known, Buffer.alloc(300));
    await writeFile(path, `${text.slice(0, from - 1)}x${text.slice(from)}`);
    expect(await file.read(from, known, Buffer.alloc(300))).toBe('other');
  });

  it('does not read a file that ends before the position', async () => {
    const { file, path } = await verified(text);
    await writeFile(path, text.slice(0, from - 100));
    expect(await file.read(from, known, Buffer.alloc(300))).toBe('other');
    expect(await file.checkAt(from)).toBe('shorter');
    expect(await file.holds([from, known])).toBe(false);
  });

  it('compares the beginning after a pause', async () => {
    const { file, path } = await verified(text);
    await file.read(from, known, Buffer.alloc(300));
    await writeFile(path, `X${text.slice(1)}`);
    file.requirePrefixCheck();
    expect(await file.read(from, known, Buffer.alloc(300))).toBe('other');
    expect(await file.read(from, known, Buffer.alloc(300))).toBe('other');
    expect(await file.holds([from, known])).toBe(false);
  });

  it('always compares the beginning for a read at position 0', async () => {
    const { file, path } = await verified(text);
    await file.read(0, checkOf(Buffer.alloc(0)), Buffer.alloc(300));
    await writeFile(path, `X${text.slice(1)}`);
    expect(await file.read(0, checkOf(Buffer.alloc(0)), Buffer.alloc(300))).toBe('other');
  });

  it('extends the known beginning when the file grows', async () => {
    const { file, grown } = await verified(text, { prefixLength: 10 });
    await file.read(from, known, Buffer.alloc(300));
    expect(file.prefix.length).toBe(1024);
    expect(grown()).toBe(1);
  });
});
