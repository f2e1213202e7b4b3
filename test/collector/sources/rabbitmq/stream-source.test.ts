import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseRabbitmqQueues } from '../../../../src/collector/sources/rabbitmq/configuration.ts';
import { STREAM_SILENCE_MS } from '../../../../src/collector/sources/rabbitmq/consumed-queue.ts';
import { rabbitmqSourceType } from '../../../../src/collector/sources/rabbitmq/type.ts';
import { forEachRecord } from '../../../../src/records/record-batch.ts';
import { type Clock, systemClock } from '../../../../src/runtime/clock.ts';
import { parseVariables } from '../../../../src/runtime/configuration/configuration.ts';
import { ConfigurationError } from '../../../../src/runtime/configuration/configuration-error.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { PullingSink, TakenBytes } from '../../../support/pulling-sink.ts';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../../support/rabbitmq-broker.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

/** Real time, but the source looks at a silent stream soon. */
const impatientClock: Clock = {
  nowUnixNano: () => systemClock.nowUnixNano(),
  monotonicMs: () => systemClock.monotonicMs(),
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
  after: (ms, run) => systemClock.after(ms === STREAM_SILENCE_MS ? 500 : ms, run),
};

const PATIENT = { timeout: 60_000, interval: 30 };
const until = <T>(check: () => T) => vi.waitFor(check, PATIENT);
const skipped = MISSING_RABBITMQ === undefined ? '' : ` (skipped: ${MISSING_RABBITMQ})`;

describe('the configuration of a stream as a source', () => {
  test.each([
    [{ queue_type: 'stream' }, 'offset: is required for a stream'],
    [{ queue_type: 'quorum', offset: 'first' }, 'offset: has no effect: it applies to streams only'],
    [{ offset: 'first', identity: 'message_id' }, 'identity: has no effect: a stream is read by its offsets'],
  ])('%j', (options, expected) => {
    const text = JSON.stringify({ address: 'amqp://a', queue: 'q', ...options });
    expect(() => parseRabbitmqQueues(text, 'V')).toThrow(ConfigurationError);
    expect(() => parseRabbitmqQueues(text, 'V')).toThrow(`V.${expected}`);
  });
});

describe.skipIf(MISSING_RABBITMQ !== undefined)(`source rabbitmq, from a stream${skipped}`, () => {
  useBroker();

  async function declare(queue: string, options: object = {}): Promise<void> {
    await (await sharedBroker()).use(async (connection) => {
      const channel = await connection.createChannel();
      await channel.assertQueue(queue, {
        durable: true,
        arguments: { 'x-queue-type': 'stream', ...options },
      });
    });
  }

  async function declared(options: object = {}): Promise<string> {
    const queue = `stream-${randomUUID()}`;
    await declare(queue, options);
    return queue;
  }

  async function publish(queue: string, texts: readonly (string | Buffer)[]): Promise<void> {
    await (await sharedBroker()).use(async (connection) => {
      const channel = await connection.createConfirmChannel();
      for (const text of texts) channel.sendToQueue(queue, Buffer.from(text));
      await channel.waitForConfirms();
    });
  }

  /** A collector's source over a state directory; ends with `close`, or at the end of the test. */
  async function opened(directory: string, taken: TakenBytes, options: object, clock: Clock = systemClock) {
    const entry = { address: (await sharedBroker()).url(), ...options };
    const environment = { COLLECTOR_RABBITMQ_CONFIGURATION: JSON.stringify([entry]) };
    const { values } = parseVariables(rabbitmqSourceType.variables, environment);
    const { configuration } = rabbitmqSourceType.parse(values, { once: false, otherSources: [] });
    if (configuration === undefined) throw new Error('the source is not configured');
    const store = await openStateStore(join(directory, 'state'));
    const metrics = new Registry();
    const { logger, lines } = capturedLogger();
    const source = await rabbitmqSourceType.open(configuration, {
      ...{ stateDirectory: directory, store, resource: new Map(), clock, once: false },
      ...{ logger, metrics },
    });
    const sink = new PullingSink({ taken });
    await source.start(sink);
    let isClosed = false;
    const close = async (deadline = AbortSignal.timeout(20_000)) => {
      if (isClosed) return;
      isClosed = true;
      await source.stop(deadline);
      sink.paused = true;
      await sink.idle();
      await source.close(AbortSignal.timeout(20_000));
      await store.close();
    };
    onTestFinished(() => close());
    const value = async (name: string) =>
      (await metrics.getSingleMetric(`collector_rabbitmq_${name}`)?.get())?.values[0]?.value;
    return { source, close, value, logs: lines };
  }

  const textsOf = ({ batches }: TakenBytes) =>
    batches.flatMap((batch) => {
      const texts: string[] = [];
      forEachRecord(batch, (bytes) => void texts.push(Buffer.from(bytes).toString().trimEnd()));
      return texts;
    });

  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `message ${from + index}`);

  /** A stream whose messages 0 to `count` were read by a source, which is closed. */
  async function readBefore(count: number, options: object = {}) {
    const queue = await declared(options);
    const directory = await temporaryDirectory();
    const taken = new TakenBytes();
    await publish(queue, numbered(0, count));
    const first = await opened(directory, taken, { queue, offset: 'first' });
    await until(() => expect(textsOf(taken)).toEqual(numbered(0, count)));
    await first.close();
    return { queue, directory, taken };
  }

  test('reads each message once over many restarts in the middle', async () => {
    const queue = await declared();
    const directory = await temporaryDirectory();
    const taken = new TakenBytes();
    const all = numbered(0, 1200);
    for (let from = 0; from < all.length; from += 200) await publish(queue, all.slice(from, from + 200));
    for (let stop = 100; stop < 600; stop += 100) {
      const { close } = await opened(directory, taken, { queue, offset: 'first', prefetch: 7 });
      await until(() => expect(textsOf(taken).length).toBeGreaterThanOrEqual(stop));
      await close(AbortSignal.abort());
    }
    await opened(directory, taken, { queue, offset: 'first' });
    await until(() => expect(textsOf(taken).length).toBeGreaterThanOrEqual(all.length));
    expect(textsOf(taken)).toEqual(all);
  });

  test('reads each message once when its connection is closed', async () => {
    const queue = await declared();
    const taken = new TakenBytes();
    const broker = await sharedBroker();
    const { source } = await opened(await temporaryDirectory(), taken, {
      queue,
      offset: 'first',
      prefetch: 5,
    });
    for (let round = 0; round < 3; round++) {
      await publish(queue, numbered(round * 50, round * 50 + 50));
      await broker.control('close_all_connections', 'test');
      await until(() => expect(textsOf(taken).length).toBeGreaterThanOrEqual(round * 50 + 25));
    }
    await until(() => expect(textsOf(taken).length).toBeGreaterThanOrEqual(150));
    expect(textsOf(taken)).toEqual(numbered(0, 150));
    expect(source.status().listeners?.[0]?.dropped).toEqual({ noRoom: 0 });
  });

  test('begins with new messages, with the last ones, or at a time, as configured', async () => {
    const queue = await declared();
    await publish(queue, ['old']);
    const atTime = new TakenBytes();
    await opened(await temporaryDirectory(), atTime, { queue, offset: '2020-01-01T00:00:00Z' });
    const next = new TakenBytes();
    const { source } = await opened(await temporaryDirectory(), next, { queue, offset: 'next' });
    await until(() => expect(source.status().listeners?.[0]?.state).toBe('listening'));
    await vi.waitFor(async () => {
      await publish(queue, ['new']);
      expect(textsOf(next)).toContain('new');
    }, PATIENT);
    expect(textsOf(next)).not.toContain('old');
    const last = new TakenBytes();
    await opened(await temporaryDirectory(), last, { queue, offset: 'last' });
    await until(() => expect(textsOf(last)).toEqual(['new']));
    await until(() => expect(textsOf(atTime)).toEqual(expect.arrayContaining(['old', 'new'])));
    expect(textsOf(atTime)[0]).toBe('old');
  });

  test('counts messages that the stream deleted before they were read', async () => {
    const { queue, directory, taken } = await readBefore(3, {
      'x-max-length-bytes': 20_000,
      'x-stream-max-segment-size-bytes': 10_000,
    });
    for (let number = 3; number < 103; number++)
      await publish(queue, [Buffer.concat([Buffer.from(`message ${number} `), Buffer.alloc(2_000, 'x')])]);
    const { value, logs } = await opened(directory, taken, { queue, offset: 'first' });
    await until(() => expect(textsOf(taken).at(-1)).toMatch(/^message 102 /));
    const lost = (await value('lost_messages_total')) ?? 0;
    const read = textsOf(taken).length;
    expect(lost).toBeGreaterThan(0);
    // The broker numbers some entries of its own, too.
    expect(read + lost).toBeGreaterThanOrEqual(103);
    expect(read + lost).toBeLessThan(103 + 60);
    expect(logs.map(({ msg }) => msg)).toContain(
      'The broker has deleted messages of the stream that were not read',
    );
  });

  test('reads a new stream from its beginning that is shorter than the stored offset', async () => {
    const { queue, directory, taken } = await readBefore(50);
    await (await sharedBroker()).deleteQueue(queue);
    await declare(queue);
    const { logs, value } = await opened(directory, taken, { queue, offset: 'first' }, impatientClock);
    await until(() => expect(logs.map(({ msg }) => msg).join()).toContain('The stream is empty'));
    await publish(queue, numbered(100, 103));
    await until(() => expect(textsOf(taken).length).toBeGreaterThanOrEqual(53));
    await publish(queue, numbered(103, 105));
    await until(() => expect(textsOf(taken).length).toBeGreaterThanOrEqual(55));
    expect(textsOf(taken)).toEqual([...numbered(0, 50), ...numbered(100, 105)]);
    expect(await value('replaced_streams_total')).toBe(1);
    expect(logs.map(({ msg }) => msg).join()).toContain('deleted and declared again; reading it');
  });

  test('keeps its place in a stream that has no new messages', async () => {
    const { queue, directory, taken } = await readBefore(5);
    const { value } = await opened(directory, taken, { queue, offset: 'first' }, impatientClock);
    await publish(queue, ['more']);
    await until(() => expect(textsOf(taken)).toEqual([...numbered(0, 5), 'more']));
    expect((await value('replaced_streams_total')) ?? 0).toBe(0);
  });

  test('reads a stream from its beginning that was deleted and declared again', async () => {
    const { queue, directory, taken } = await readBefore(5);
    await (await sharedBroker()).deleteQueue(queue);
    await declare(queue);
    await publish(queue, numbered(100, 108));
    const { logs } = await opened(directory, taken, { queue, offset: 'first' });
    await until(() => expect(textsOf(taken).length).toBeGreaterThanOrEqual(13));
    expect(textsOf(taken)).toEqual([...numbered(0, 5), ...numbered(100, 108)]);
    expect(logs.map(({ msg }) => msg).join()).toContain('deleted and declared again');
  });
});
