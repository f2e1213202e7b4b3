import { expect, test } from 'vitest';
import { Sessions } from '../../../../src/aggregator/api/access/sessions.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const HOUR_MS = 60 * 60_000;

test('a session is open until it ends', () => {
  const sessions = new Sessions(new FakeClock());
  const [one, other] = [sessions.begin(), sessions.begin()];
  expect(one).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(one).not.toBe(other);
  sessions.end(one);
  expect(sessions.isOpen(one)).toBe(false);
  expect(sessions.isOpen(other)).toBe(true);
  for (const unknown of ['', 'x', `${other}x`, other.toLowerCase()])
    expect(sessions.isOpen(unknown)).toBe(false);
});

test('a session ends 12 hours after its last use', async () => {
  const clock = new FakeClock();
  const sessions = new Sessions(clock);
  const [used, unused] = [sessions.begin(), sessions.begin()];
  for (let hour = 0; hour < 24; hour += 8) {
    await clock.advance(8 * HOUR_MS);
    expect(sessions.isOpen(used)).toBe(true);
  }
  expect(sessions.isOpen(unused)).toBe(false);
  await clock.advance(12 * HOUR_MS - 1);
  expect(sessions.isOpen(used)).toBe(true);
  await clock.advance(12 * HOUR_MS);
  expect(sessions.isOpen(used)).toBe(false);
  expect(sessions.count).toBe(0);
});

test('the least recently used session ends when there are too many', () => {
  const sessions = new Sessions(new FakeClock(), 3);
  const ids = [sessions.begin(), sessions.begin(), sessions.begin()];
  expect(sessions.isOpen(ids[0] ?? '')).toBe(true);
  const newest = sessions.begin();
  expect(sessions.count).toBe(3);
  expect([...ids, newest].map((id) => sessions.isOpen(id))).toEqual([true, false, true, true]);
});
