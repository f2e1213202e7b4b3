import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ServeDatabase } from '../../../../src/collector/sources/pg-logfebe/serve-database.ts';
import { runCommand } from '../../../../testkit/running-process.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const list = (...paths: string[]) =>
  JSON.stringify({
    serves: paths.map((p) => ({ i: `id of ${p}`, p, url: 'https://token:SECRET@example.com' })),
  });

async function serveDatabase(files: Readonly<Record<string, string>> = {}, tokensAllowed = true) {
  const directory = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return {
    directory,
    database: new ServeDatabase({ directory, tokensAllowed }),
    submit: async (text: string) => {
      await writeFile(join(directory, 'draft'), text);
      await rename(join(directory, 'draft'), join(directory, 'serves.new'));
    },
    read: (name: string) => readFile(join(directory, name), 'utf8'),
    has: (name: string) => existsSync(join(directory, name)),
  };
}

const tenants = (...paths: string[]) =>
  paths.map((path) => ({ identity: `id of ${path}`, path, name: undefined }));

describe('the serve database of a directory', () => {
  it('is empty at first', async () => {
    const { database } = await serveDatabase();
    expect(await database.load()).toEqual([]);
    expect(await database.poll()).toEqual({ kind: 'none' });
  });

  it('accepts a submitted list, and removes the last rejected one', async () => {
    const { database, submit, read, has } = await serveDatabase({ last_error: 'x', 'serves.rej': 'x' });
    await submit(list('/a'));
    expect(await database.poll()).toEqual({ kind: 'accepted', tenants: tenants('/a') });
    expect(await read('serves.loaded')).toBe(list('/a'));
    for (const name of ['serves.new', 'serves.claimed', 'serves.rej', 'last_error'])
      expect(has(name)).toBe(false);
    expect(await database.load()).toEqual(tenants('/a'));
    expect(await database.poll()).toEqual({ kind: 'none' });
  });

  it('does not return credentials', async () => {
    const { database, submit } = await serveDatabase();
    await submit(list('/a'));
    expect(JSON.stringify(await database.poll())).not.toContain('SECRET');
  });

  it('rejects an invalid list with the reason, and keeps the loaded one', async () => {
    const { database, submit, read, has } = await serveDatabase({ 'serves.loaded': list('/a') });
    await submit(list('/b', 'c'));
    const reason = 'serves[1].p: must be an absolute path';
    expect(await database.poll()).toEqual({ kind: 'rejected', reason });
    expect(await read('serves.rej')).toBe(list('/b', 'c'));
    expect(await read('last_error')).toBe(`serves.new ${reason}\n`);
    expect(await read('serves.loaded')).toBe(list('/a'));
    expect(has('serves.new')).toBe(false);
  });

  it('rejects a list also when last_error cannot be written', async () => {
    const { database, submit, directory, read } = await serveDatabase();
    await submit('x');
    await database.poll();
    await chmod(join(directory, 'last_error'), 0o400);
    await submit('{}');
    expect(await database.poll()).toMatchObject({ kind: 'rejected' });
    expect(await read('last_error')).toContain('serves: must be a list');
  });

  it('checks a list that was claimed before a crash, and then the new one', async () => {
    const { database, has } = await serveDatabase({ 'serves.claimed': list('/a'), 'serves.new': list('/b') });
    expect(await database.poll()).toMatchObject({ tenants: tenants('/a') });
    expect(await database.poll()).toMatchObject({ tenants: tenants('/b') });
    expect(await database.poll()).toEqual({ kind: 'none' });
    expect(has('serves.claimed')).toBe(false);
  });

  it('does not lose a list that is submitted while another is checked', async () => {
    const { database, submit } = await serveDatabase();
    await submit(list('/a'));
    const [first] = await Promise.all([database.poll(), submit(list('/b'))]);
    const second = await database.poll();
    const last = second.kind === 'none' ? first : second;
    expect(last).toMatchObject({ tenants: tenants('/b') });
  });

  it('removes the incomplete copy that a crash left', async () => {
    const { database, has } = await serveDatabase({ 'serves.loaded.temporary-1234': 'half', other: 'x' });
    await database.load();
    expect(has('serves.loaded.temporary-1234')).toBe(false);
    expect(has('other')).toBe(true);
  });

  it('gives the copy the permissions of the original', async () => {
    const { database, submit, directory } = await serveDatabase();
    await submit(list('/a'));
    await chmod(join(directory, 'serves.new'), 0o600);
    await database.poll();
    expect((await stat(join(directory, 'serves.loaded'))).mode & 0o777).toBe(0o600);
  });

  it('does not load a damaged list', async () => {
    const broken = await serveDatabase({ 'serves.loaded': '{"serves": [{"t": "SECRET"' });
    await expect(broken.database.load()).rejects.toThrow(/serves\.loaded is not valid JSON/);
    await expect(broken.database.load()).rejects.not.toThrow(/SECRET/);
    const tokens = JSON.stringify({ serves: [{ i: 'a', p: '/a', t: 'SECRET' }] });
    const { database } = await serveDatabase({ 'serves.loaded': tokens }, false);
    await expect(database.load()).rejects.toThrow('serves[0].t: requires LOGPLEX_URL');
  });

  it('does not load from a missing directory', async () => {
    const database = new ServeDatabase({ directory: '/nonexistent/serves', tokensAllowed: true });
    await expect(database.load()).rejects.toThrow('ENOENT');
  });

  it('rejects a path that is not a regular file, without waiting for it', async () => {
    const { database, directory, has } = await serveDatabase();
    await mkdir(join(directory, 'serves.new'));
    expect(await database.poll()).toEqual({ kind: 'rejected', reason: 'is not a regular file' });
    await runCommand({ name: 'mkfifo', command: 'mkfifo', args: [join(directory, 'serves.new')] });
    expect(await database.poll()).toEqual({ kind: 'rejected', reason: 'is not a regular file' });
    expect(has('serves.rej')).toBe(true);
    await writeFile(join(directory, 'serves.new'), Buffer.from([0xff, 0xfe]));
    expect(await database.poll()).toEqual({ kind: 'rejected', reason: 'is not UTF-8' });
  });

  it('follows a symbolic link', async () => {
    const { database, directory } = await serveDatabase({ target: list('/a') });
    await symlink('target', join(directory, 'serves.new'));
    expect(await database.poll()).toMatchObject({ tenants: tenants('/a') });
  });
});
