import { expect, test } from 'vitest';
import { QuerySlots } from '../../../src/emitters/duckdb/query-slots.ts';

const never = new AbortController().signal;

test('admits at most N at a time, the others in order of arrival', async () => {
  const slots = new QuerySlots(['a', 'b'], 10);
  const first = await slots.take(never);
  await slots.take(never);
  const third = slots.take(never);
  const fourth = slots.take(never);
  slots.release(first);
  expect(await third).toBe(first);
  slots.release(first);
  expect(await fourth).toBe(first);
});

test('rejects a query if too many wait', async () => {
  const slots = new QuerySlots(['a'], 1);
  await slots.take(never);
  void slots.take(never);
  await expect(slots.take(never)).rejects.toMatchObject({ kind: 'busy' });
});

test('removes a waiting query that is aborted', async () => {
  const slots = new QuerySlots(['a'], 1);
  const slot = await slots.take(never);
  const abort = new AbortController();
  const waiting = slots.take(abort.signal);
  abort.abort(new Error('too late'));
  await expect(waiting).rejects.toThrow('too late');
  const next = slots.take(never);
  slots.release(slot);
  expect(await next).toBe(slot);
});

test('admits no query while it is paused', async () => {
  const slots = new QuerySlots(['a', 'b'], 10);
  const slot = await slots.take(never);
  slots.pause();
  const came: string[] = [];
  const waiting = [1, 2].map(async () => came.push(await slots.take(never)));
  slots.release(slot);
  await Promise.resolve();
  expect(came).toEqual([]);
  slots.resume();
  await Promise.all(waiting);
  expect(came.toSorted()).toEqual(['a', 'b']);
});
