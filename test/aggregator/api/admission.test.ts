import { expect, test } from 'vitest';
import { Admission } from '../../../src/aggregator/api/admission.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

function admission() {
  const clock = new FakeClock();
  const entered: string[] = [];
  const ends = new Map<string, (value: string) => void>();
  const door = new Admission({ maxRunning: 2, maxWaiting: 2, timeLimitMs: 1000, clock });
  const ask = (name: string, signal = new AbortController().signal) => {
    const asked = door.run(signal, () => {
      entered.push(name);
      return new Promise<string>((resolve) => {
        ends.set(name, resolve);
      });
    });
    // Some are looked at late.
    asked.catch(() => {});
    return asked;
  };
  const end = (name: string) => ends.get(name)?.(name);
  return { clock, entered, door, ask, end };
}

test('at most N requests run, M wait in order, and the others are rejected', async () => {
  const { entered, door, ask, end } = admission();
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => ask(name));
  await expect(e).rejects.toMatchObject({ status: 503, code: 'busy' });
  expect(entered).toEqual(['a', 'b']);
  end('b');
  expect(await b).toBe('b');
  await settle();
  expect(entered).toEqual(['a', 'b', 'c']);
  end('a');
  end('c');
  await settle();
  end('d');
  expect(await Promise.all([a, c, d])).toEqual(['a', 'c', 'd']);
  expect([door.running, door.waiting]).toEqual([0, 0]);
});

test('a client that disconnects leaves the queue', async () => {
  const { clock, entered, door, ask, end } = admission();
  void ask('a');
  void ask('b');
  const leaving = new AbortController();
  const c = ask('c', leaving.signal);
  void ask('d');
  leaving.abort();
  await expect(c).rejects.toMatchObject({ code: 'busy' });
  expect(door.waiting).toBe(1);
  expect(clock.waiting).toBe(3);
  end('a');
  await settle();
  expect(entered).toEqual(['a', 'b', 'd']);
  // Of those who run, one timer each.
  expect(clock.waiting).toBe(2);
});

test('a client that disconnected before never enters the queue', async () => {
  const { door, ask } = admission();
  void ask('a');
  void ask('b');
  await expect(ask('c', AbortSignal.abort())).rejects.toMatchObject({ code: 'busy' });
  expect(door.waiting).toBe(0);
});

test('a request that exceeds its time is rejected, and keeps its slot until it ends', async () => {
  const { clock, door, ask, end } = admission();
  const a = ask('a');
  await clock.advance(1000);
  await expect(a).rejects.toMatchObject({ status: 504, code: 'timeout' });
  expect(door.running).toBe(1);
  end('a');
  await settle();
  expect(door.running).toBe(0);
});

test('a request that waits too long is rejected', async () => {
  const { clock, entered, door, ask } = admission();
  void ask('a');
  void ask('b');
  const c = ask('c');
  await clock.advance(1000);
  await expect(c).rejects.toMatchObject({ status: 503, code: 'busy' });
  expect(entered).toEqual(['a', 'b']);
  expect(door.waiting).toBe(0);
});

test('the time in the queue counts towards the limit', async () => {
  const { clock, ask, end } = admission();
  void ask('a');
  void ask('b');
  const c = ask('c');
  await clock.advance(900);
  end('a');
  await clock.advance(100);
  await expect(c).rejects.toMatchObject({ status: 504 });
  expect(clock.waiting).toBe(0);
});

test('a failure is passed to the client, and frees the slot', async () => {
  const { door, clock } = admission();
  const failing = door.run(new AbortController().signal, () => Promise.reject(new Error('broken')));
  await expect(failing).rejects.toThrow('broken');
  expect(door.running).toBe(0);
  expect(clock.waiting).toBe(0);
});
