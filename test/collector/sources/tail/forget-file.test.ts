import { expect, it } from 'vitest';
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
