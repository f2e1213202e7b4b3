import { link, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FileCheckpoint } from '../../../../src/collector/sources/tail/files/file-checkpoint.ts';
import { numbered, Tailing } from './tailing.ts';

/** Links in `logs/links`, the files in `logs/files`: a rotation leaves the old file beside the target. */
async function prepareLinks(names: readonly string[]): Promise<Tailing> {
  const tailing = await Tailing.prepare({ globs: ['links/*.log'] });
  await mkdir(tailing.path('links'));
  await mkdir(tailing.path('files'));
  for (const name of names) {
    await tailing.append(`files/${name}`, numbered(1, 20, name));
    await symlink(tailing.path(`files/${name}`), tailing.path(`links/${name}.log`));
  }
  return tailing;
}

async function rotate(tailing: Tailing, name: string): Promise<void> {
  await tailing.append(`files/${name}`, numbered(21, 20, name));
  await rename(tailing.path(`files/${name}`), tailing.path(`files/${name}.20261120`));
  await writeFile(tailing.path(`files/${name}`), numbered(41, 20, name));
}

function textOf(tailing: Tailing): string[] {
  return tailing.taken.text().split('\n').filter(Boolean).sort();
}

describe('files that are followed through symbolic links', () => {
  it('reads the rest of every target that is rotated while the collector runs', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `pod-${index}`);
    const tailing = await prepareLinks(names);
    await tailing.start({ limits: { openFiles: 4 } });
    for (const name of names) await rotate(tailing, name);
    await tailing.turn();
    await tailing.pass(3_000);
    const expected = names.flatMap((name) => numbered(1, 60, name).split('\n').filter(Boolean)).sort();
    expect(textOf(tailing)).toEqual(expected);
    expect(tailing.messages(50)).toEqual([]);
  });

  it('reads the rest of a target that was rotated while the collector was down', async () => {
    const tailing = await prepareLinks(['a', 'b']);
    await tailing.start();
    await tailing.stop();
    for (const name of ['a', 'b']) await rotate(tailing, name);
    await tailing.start();
    await tailing.pass(3_000);
    const expected = ['a', 'b'].flatMap((name) => numbered(1, 60, name).split('\n').filter(Boolean)).sort();
    expect(textOf(tailing)).toEqual(expected);
  });

  it('reads the old target to its end when a link gets another target', async () => {
    const tailing = await prepareLinks(['0']);
    await tailing.start();
    await tailing.append('files/0', numbered(21, 20, '0'));
    await writeFile(tailing.path('files/1'), numbered(1, 20, 'next'));
    await symlink(tailing.path('files/1'), tailing.path('links/new'));
    await rename(tailing.path('links/new'), tailing.path('links/0.log'));
    await tailing.turn();
    await tailing.pass(3_000);
    const expected = `${numbered(1, 40, '0')}${numbered(1, 20, 'next')}`;
    expect(tailing.taken.text()).toBe(expected);
  });

  it('follows a chain of links and a link to a directory that is swapped', async () => {
    const tailing = await Tailing.prepare({ globs: ['current/*.log'] });
    for (const name of ['monday', 'tuesday']) await mkdir(tailing.path(name));
    await symlink('monday', tailing.path('today'));
    await symlink('today', tailing.path('current'));
    await tailing.append('monday/app.log', numbered(1, 10, 'monday'));
    await tailing.start({ limits: { openFiles: 1 } });
    await tailing.append('monday/app.log', numbered(11, 10, 'monday'));
    await tailing.append('tuesday/app.log', numbered(1, 10, 'tuesday'));
    await rm(tailing.path('today'));
    await symlink('tuesday', tailing.path('today'));
    await tailing.turn();
    await tailing.pass(3_000);
    const expected = `${numbered(1, 20, 'monday')}${numbered(1, 10, 'tuesday')}`;
    expect(tailing.taken.text()).toBe(expected);
  });

  it('finds the target of a link with the state of a version without targets', async () => {
    const tailing = await prepareLinks(['a']);
    await tailing.start();
    await tailing.stop();
    const table = tailing.store.table<FileCheckpoint>('tail-checkpoints');
    const entries = [...table.entries()];
    await tailing.store.write(() => {
      for (const { key, value } of entries) {
        const { target: _, ...old } = value;
        table.put(key, old);
      }
    });
    await rotate(tailing, 'a');
    await tailing.start();
    await tailing.pass(3_000);
    expect(tailing.taken.text()).toBe(numbered(1, 60, 'a'));
  });

  it('reads the rest of a rotated target before the new one, among many other files', async () => {
    const tailing = await Tailing.prepare({ globs: ['links/*.log', '*.log'] });
    await mkdir(tailing.path('links'));
    await mkdir(tailing.path('files'));
    for (let file = 0; file < 100; file++) await tailing.append(`other-${file}.log`, `other ${file}\n`);
    await tailing.append('files/a.log', numbered(0, 10));
    await symlink(tailing.path('files/a.log'), tailing.path('links/a.log'));
    await tailing.start();
    await tailing.stop();
    await tailing.append('files/a.log', numbered(10, 10));
    await rename(tailing.path('files/a.log'), tailing.path('files/a.log.1'));
    await tailing.append('files/a.log', numbered(20, 10));
    for (let file = 100; file < 200; file++) await tailing.append(`other-${file}.log`, `other ${file}\n`);
    await tailing.start();
    await tailing.pass(3_000);
    expect(tailing.taken.text(tailing.path('links/a.log'))).toBe(numbered(0, 30));
  });

  it('continues in a target that was replaced while the collector was down and has a second name', async () => {
    const tailing = await prepareLinks(['a']);
    await tailing.start();
    await tailing.pass(1_000);
    await tailing.stop();
    await writeFile(tailing.path('files/new'), numbered(1, 30, 'a'));
    await rename(tailing.path('files/new'), tailing.path('files/a'));
    await link(tailing.path('files/a'), tailing.path('links/a-second-name.log'));
    await tailing.start();
    await tailing.pass(3_000);
    expect(tailing.taken.text()).toBe(numbered(1, 30, 'a'));
  });
});
