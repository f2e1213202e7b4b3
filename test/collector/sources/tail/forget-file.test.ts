import { rename } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FileCheckpoint } from '../../../../src/collector/sources/tail/files/file-checkpoint.ts';
import { forgetFile } from '../../../../src/collector/sources/tail/forget-file.ts';
import { numbered, Tailing } from './tailing.ts';

it('a forgotten file is read again as a new stream, and no other file is', async () => {
  const tail = await Tailing.start();
  await tail.append('a.log', numbered(0, 10));
  await tail.append('b.log', numbered(100, 10));
  await tail.turn();
  await tail.stop();
  expect(await forgetFile(tail.store, tail.path('a.log'))).toBe(1);
  await tail.start();
  await tail.turn();
  expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(0, 10) + numbered(0, 10));
  expect(tail.taken.text(tail.path('b.log'))).toBe(numbered(100, 10));
});

it('changes nothing for a file that is not known', async () => {
  const tail = await Tailing.start();
  await tail.append('a.log', numbered(0, 10));
  await tail.turn();
  await tail.stop();
  expect(await forgetFile(tail.store, tail.path('other.log'))).toBe(0);
  await tail.start();
  await tail.turn();
  expect(tail.taken.text()).toBe(numbered(0, 10));
});

const CHECKPOINTS = 'tail-checkpoints';

describe('while the collector is running', () => {
  it('a forgotten file is read again as a new stream, and no other file is', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.append('b.log', numbered(100, 10));
    await tail.turn();
    const [before] = idsAt(tail, 'a.log');
    expect(await tail.source.forget(tail.path('a.log'))).toBe(1);
    await tail.append('a.log', numbered(10, 10));
    await tail.turn();
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(0, 10) + numbered(0, 20));
    expect(tail.taken.text(tail.path('b.log'))).toBe(numbered(100, 10));
    expect(idsAt(tail, 'a.log')).toHaveLength(1);
    expect(idsAt(tail, 'a.log')).not.toEqual([before]);
  });

  it('the old checkpoint is not on disk when the new stream is opened', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.source.forget(tail.path('a.log'));
    await tail.sink.idle();
    expect(storedAt(tail, 'a.log')).toEqual(idsAt(tail, 'a.log'));
    await tail.kill();
    tail.diskIsFull(false);
    await tail.start();
    await tail.turn();
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(0, 10) + numbered(0, 10));
  });

  it('forgets a file of which not all records are accepted, and reads it once more', async () => {
    const tail = await Tailing.prepare();
    tail.sink.accepting = false;
    await tail.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    expect(await tail.source.forget(tail.path('a.log'))).toBe(1);
    tail.sink.accepting = true;
    await tail.append('a.log', numbered(10, 1));
    await tail.turn();
    expect(tail.taken.text(tail.path('a.log')).endsWith(numbered(0, 11))).toBe(true);
    expect(tail.source.status().streams).toMatchObject([{ readBytes: numbered(0, 11).length }]);
  });

  it('does not lose the place of a younger generation of the file', async () => {
    const tail = await Tailing.prepare();
    tail.sink.accepting = false;
    await tail.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', numbered(10, 10));
    await tail.turn();
    expect(await tail.source.forget(tail.path('a.log.1'))).toBe(1);
    tail.sink.accepting = true;
    await tail.pass(60_000);
    expect(tail.taken.text()).toContain(numbered(10, 10));
  });

  it('reports that the state directory cannot be written', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    tail.diskIsFull(true);
    await expect(tail.source.forget(tail.path('a.log'))).rejects.toThrow(
      'the state directory cannot be written',
    );
    tail.diskIsFull(false);
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 10) + numbered(0, 10));
  });

  it('changes nothing for a file that is not known', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    expect(await tail.source.forget(tail.path('other.log'))).toBe(0);
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 10));
  });
});

function idsAt(tail: Tailing, name: string): readonly string[] {
  return tail.source
    .status()
    .streams.filter(({ origin }) => origin === tail.path(name))
    .map(({ stream }) => stream);
}

function storedAt(tail: Tailing, name: string): readonly string[] {
  return Array.from(tail.store.table<FileCheckpoint>(CHECKPOINTS).entries())
    .filter(({ value }) => value.path === tail.path(name))
    .map(({ key }) => String(key));
}
