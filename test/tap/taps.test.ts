import { describe, expect, test } from 'vitest';
import type { HttpSink } from '../../src/runtime/http/http-contract.ts';
import type { TapRequest } from '../../src/tap/tap-request.ts';
import { tapRequestOf } from '../../src/tap/tap-request.ts';
import { Taps } from '../../src/tap/taps.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { recordBatch } from '../support/record-batches.ts';

const ALL = () => true;
const linesBatch = (texts: readonly string[]) => recordBatch(texts.map((text) => `${text}\n`));
const EVERYTHING: TapRequest = tapRequestOf({ point: 'all' });

/** The events of a tap, as its client receives them. */
class FakeSink implements HttpSink {
  waitingBytes = 0;
  text = '';
  write(text: string): void {
    this.text += text;
  }
  async drained(): Promise<void> {}
  /** The data of all events of a kind. */
  data(kind: string): readonly Record<string, unknown>[] {
    const found = this.text.matchAll(new RegExp(`^event: ${kind}\ndata: (.*)$`, 'gm'));
    return [...found].map(([, json = '']) => JSON.parse(json) as Record<string, unknown>);
  }
  get bodies(): readonly unknown[] {
    return this.data('record').map(({ body }) => body);
  }
}

async function opened(taps: Taps, request = EVERYTHING, selects = ALL as Parameters<Taps['open']>[1]) {
  const exchange = new AbortController();
  const { body } = taps.open(request, selects, exchange);
  const sink = new FakeSink();
  const ended = (body as (sink: HttpSink, signal: AbortSignal) => Promise<void>)(sink, exchange.signal);
  await settle();
  return { sink, ended, end: () => exchange.abort() };
}

test('shows the records that pass, and is closed without a client', async () => {
  const taps = new Taps(new FakeClock());
  expect(taps.isOpen).toBe(false);
  taps.offer(linesBatch(['before']), 'tail');
  const { sink, ended, end } = await opened(taps);
  expect(taps.isOpen).toBe(true);
  taps.offer(linesBatch(['one', 'two']), 'tail');
  expect(sink.bodies).toEqual(['one', 'two']);
  end();
  await ended;
  expect(taps.isOpen).toBe(false);
  expect(sink.data('end')).toEqual([{ reason: 'stopped', notShown: 0 }]);
});

test('shows only records of its place for which the expression is true', async () => {
  const taps = new Taps(new FakeClock());
  const request = tapRequestOf({ point: 'tail', where: 'body contains "wo"', raw: true });
  const { sink } = await opened(taps, request, (_batch, place) => place === 'tail');
  taps.offer(linesBatch(['one', 'two']), 'tail');
  taps.offer(linesBatch(['worker']), 'syslog');
  expect(sink.bodies).toEqual(['two']);
  expect(Buffer.from(String(sink.data('record')[0]?.raw), 'base64').toString()).toBe('two\n');
});

test('ends after its limit', async () => {
  const taps = new Taps(new FakeClock());
  const { sink, ended } = await opened(taps, tapRequestOf({ point: 'all', limit: 2 }));
  taps.offer(linesBatch(['1', '2', '3']), '');
  await ended;
  expect(sink.bodies).toEqual(['1', '2']);
  expect(sink.data('end')).toEqual([{ reason: 'limit', notShown: 0 }]);
});

describe('never slows the path', () => {
  test('counts records while the client does not read, and reports their number', async () => {
    const clock = new FakeClock();
    const taps = new Taps(clock);
    const { sink } = await opened(taps);
    sink.waitingBytes = 1024 * 1024;
    taps.offer(linesBatch(['a', 'b', 'c']), '');
    await clock.advance(500);
    expect(sink.data('skipped')).toEqual([{ count: 3 }]);
    sink.waitingBytes = 0;
    taps.offer(linesBatch(['d']), '');
    expect(sink.bodies).toEqual(['d']);
  });

  test('counts records for which it has no time', async () => {
    const clock = new FakeClock();
    const taps = new Taps(clock);
    // Each part of the work takes 30 ms; 50 ms are free at the beginning.
    let partMs = 0;
    const slow: TapRequest = {
      ...EVERYTHING,
      stage: (batch) => {
        partMs += 30;
        return [batch];
      },
    };
    clock.monotonicMs = () => partMs;
    const { sink, ended, end } = await opened(taps, slow);
    taps.offer(linesBatch(Array.from({ length: 1000 }, (_, index) => String(index))), '');
    const shown = sink.bodies.length;
    expect(shown).toBeGreaterThan(0);
    expect(shown).toBeLessThan(100);
    end();
    await ended;
    expect(sink.data('end')).toEqual([{ reason: 'stopped', notShown: 1000 - shown }]);
  });

  test('ends a tap that fails, and throws nothing', async () => {
    const taps = new Taps(new FakeClock());
    const { sink, ended } = await opened(taps, {
      ...EVERYTHING,
      stage: () => {
        throw new Error('broken filter');
      },
    });
    taps.offer(linesBatch(['a']), '');
    await ended;
    expect(sink.data('end')).toMatchObject([{ reason: 'failed: broken filter' }]);
  });

  test('opens at most four taps', async () => {
    const taps = new Taps(new FakeClock());
    const open = await Promise.all([1, 2, 3, 4].map(() => opened(taps)));
    await expect(opened(taps)).rejects.toThrow('At most 4 taps can be open.');
    open[0]?.end();
    await expect(opened(taps)).resolves.toBeDefined();
  });
});

test('an invalid expression is rejected with its place', () => {
  expect(() => tapRequestOf({ point: 'all', where: 'severity >>= 3' })).toThrow('The request has a problem.');
});
