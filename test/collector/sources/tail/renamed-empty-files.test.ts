import { link, rename, unlink, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

it('reads a file that was empty at a scan, and was then written and renamed to a name that no pattern matches', async () => {
  const tail = await Tailing.prepare({ globs: ['*.log'] });
  await writeFile(tail.path('job.log'), '');
  await tail.start();
  await tail.turn();
  await tail.append('job.log', numbered(1, 5));
  await rename(tail.path('job.log'), tail.path('finished'));
  await tail.pass(10_000);
  expect(tail.taken.text()).toBe(numbered(1, 5));
  expect(tail.taken.batches[0]?.resource.get('log.file.path')).toBe(tail.path('job.log'));
  await tail.restart();
  await tail.pass(3_000);
  expect(tail.taken.text()).toBe(numbered(1, 5));
});

it('reads such a file when it is written after it was renamed', async () => {
  const tail = await Tailing.prepare({ globs: ['*.log'] });
  await writeFile(tail.path('job.log'), '');
  await tail.start();
  await rename(tail.path('job.log'), tail.path('finished'));
  await tail.pass(3_000);
  await tail.append('finished', numbered(1, 5));
  await tail.pass(10_000);
  expect(tail.taken.text()).toBe(numbered(1, 5));
});

it('does not read another file that has the same name later', async () => {
  const tail = await Tailing.prepare({ globs: ['*.log'] });
  await writeFile(tail.path('job.log'), '');
  // The inode number stays in use.
  await link(tail.path('job.log'), tail.path('kept'));
  await tail.start();
  await unlink(tail.path('job.log'));
  await writeFile(tail.path('finished'), numbered(1, 5));
  await tail.pass(10_000);
  expect(tail.taken.text()).toBe('');
});
