import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Channel, Options } from 'amqplib';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { rabbitmqSourceType } from '../../../../src/collector/sources/rabbitmq/type.ts';
import { LIMITS } from '../../../../src/records/limits.ts';
import { forEachRecord, type RecordBatch } from '../../../../src/records/record-batch.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { parseVariables } from '../../../../src/runtime/configuration/configuration.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { PullingSink, TakenBytes } from '../../../support/pulling-sink.ts';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../../support/rabbitmq-broker.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const PATIENT = { timeout: 60_000, interval: 30 };
const until = <T>(check: () => T) => vi.waitFor(check, PATIENT);
const skipped = MISSING_RABBITMQ === undefined ? '' : ` (skipped: ${MISSING_RABBITMQ})`;

describe.skipIf(MISSING_RABBITMQ !== undefined)(`source rabbitmq${skipped}`, () => {
  useBroker();

  async function channel(): Promise<Channel> {
    const connection = await (await import('amqplib')).connect((await sharedBroker()).url());
    connection.on('error', () => {});
    onTestFinished(() => connection.close().catch(() => {}));
    const opened = await connection.createChannel();
    opened.on('error', () => {});
    return opened;
  }

  async function declared(): Promise<string> {
    const queue = `source-${randomUUID()}`;
    await (await channel()).assertQueue(queue, { durable: true });
    return queue;
  }

  async function publish(queue: string, text: string | Buffer, options: Options.Publish = {}): Promise<void> {
    await (await sharedBroker()).use(async (connection) => {
      const confirmed = await connection.createConfirmChannel();
      confirmed.sendToQueue(queue, Buffer.from(text), { persistent: true, ...options });
      await confirmed.waitForConfirms();
    });
  }

  const readyIn = async (queue: string) => (await (await channel()).checkQueue(queue)).messageCount;

  /** A collector's source over a state directory; ends with `close`, or at the end of the test. */
  async function opened(directory: string, taken: TakenBytes, options: object) {
    const entry = { address: (await sharedBroker()).url(), ...options };
    const environment = { COLLECTOR_RABBITMQ_CONFIGURATION: JSON.stringify([entry]) };
    const { values } = parseVariables(rabbitmqSourceType.variables, environment);
    const { configuration } = rabbitmqSourceType.parse(values, { once: false, otherSources: [] });
    if (configuration === undefined) throw new Error('the source is not configured');
    const store = await openStateStore(join(directory, 'state'));
    const source = await rabbitmqSourceType.open(configuration, {
      ...{ stateDirectory: directory, store, resource: new Map(), clock: systemClock, once: false },
      ...{ logger: capturedLogger().logger, metrics: new Registry() },
    });
    const sink = new PullingSink({ taken });
    await source.start(sink);
    let isClosed = false;
    const close = async () => {
      if (isClosed) return;
      isClosed = true;
      await source.stop(AbortSignal.timeout(20_000));
      sink.paused = true;
      await sink.idle();
      await source.close(AbortSignal.timeout(20_000));
      await store.close();
    };
    onTestFinished(close);
    return { source, close };
  }

  const textsOf = ({ batches }: TakenBytes) =>
    batches.flatMap((batch) => {
      const texts: string[] = [];
      forEachRecord(batch, (bytes) => void texts.push(Buffer.from(bytes).toString().trimEnd()));
      return texts;
    });

  const peersOf = ({ peers = [] }: RecordBatch) => peers.map((peer) => Object.fromEntries(peer));

  test('acknowledges a message when it is on disk, and keeps its origin', async () => {
    const queue = await declared();
    const taken = new TakenBytes();
    const { close } = await opened(await temporaryDirectory(), taken, { queue, format: 'json' });
    await publish(queue, '{"message":"hello"}', { appId: 'shop' });
    await until(() => expect(textsOf(taken)).toEqual(['{"message":"hello"}']));
    await close();
    expect(await readyIn(queue)).toBe(0);
    const [batch] = taken.batches;
    expect(batch?.format).toBe('json');
    expect(batch && peersOf(batch)).toEqual([
      {
        'messaging.system': 'rabbitmq',
        'messaging.destination.subscription.name': queue,
        'messaging.rabbitmq.destination.routing_key': queue,
        'service.name': 'shop',
      },
    ]);
  });

  test('drops a message with a known identity, also after a restart', async () => {
    const queue = await declared();
    const directory = await temporaryDirectory();
    const taken = new TakenBytes();
    const first = await opened(directory, taken, { queue, identity: 'message_id' });
    await publish(queue, 'one', { messageId: '1' });
    await publish(queue, 'one', { messageId: '1' });
    await publish(queue, 'one', { messageId: '2' });
    await until(() => expect(textsOf(taken)).toEqual(['one', 'one']));
    await first.close();
    await opened(directory, taken, { queue, identity: 'message_id' });
    await publish(queue, 'one', { messageId: '1' });
    await publish(queue, 'last', { messageId: '3' });
    await until(() => expect(textsOf(taken)).toEqual(['one', 'one', 'last']));
  });

  test('cuts a message that is longer than a record', async () => {
    const queue = await declared();
    const taken = new TakenBytes();
    await opened(await temporaryDirectory(), taken, { queue });
    await publish(queue, 'x'.repeat(LIMITS.recordBytes + 10));
    await publish(queue, 'next');
    await until(() => expect(textsOf(taken).at(-1)).toBe('next'));
    expect(textsOf(taken).map(({ length }) => length)).toEqual([LIMITS.recordBytes - 1, 11, 4]);
  });

  test('waits for a queue that does not exist yet', async () => {
    const queue = `source-${randomUUID()}`;
    const taken = new TakenBytes();
    const { source } = await opened(await temporaryDirectory(), taken, { queue });
    await until(() => expect(source.status().failure).toContain('NOT_FOUND'));
    await (await channel()).assertQueue(queue, { durable: true });
    await publish(queue, 'late');
    await until(() => expect(textsOf(taken)).toEqual(['late']));
    expect(source.status().failure).toBeUndefined();
  });
});
