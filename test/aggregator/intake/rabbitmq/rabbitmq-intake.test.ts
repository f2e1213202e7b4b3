import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Channel, Options } from 'amqplib';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Intakes } from '../../../../src/aggregator/intake/intakes.ts';
import { parseRabbitmqIntakes } from '../../../../src/aggregator/intake/rabbitmq/configuration.ts';
import { rabbitmqIntake } from '../../../../src/aggregator/intake/rabbitmq/rabbitmq-intake.ts';
import { encodeRecordBatchMessage } from '../../../../src/emitters/rabbitmq/record-batch-message.ts';
import type { RecordBatch } from '../../../../src/records/record-batch.ts';
import { mintStreamId } from '../../../../src/records/stream-id.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import type { Ledger, QueueWriter } from '../../../../src/storage/queue/queue-contract.ts';
import { queueFixture, readAll } from '../../../storage/queue-fixture.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../../support/rabbitmq-broker.ts';
import { recordBatch } from '../../../support/record-batches.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

/** The restart of a killed broker takes a while on a busy machine. */
const SLOW = 180_000;
const PATIENT = { timeout: 90_000, interval: 30 };
const until = <T>(check: () => T) => vi.waitFor(check, PATIENT);
const skipped = MISSING_RABBITMQ === undefined ? '' : ` (skipped: ${MISSING_RABBITMQ})`;

describe.skipIf(MISSING_RABBITMQ !== undefined)(`intake rabbitmq${skipped}`, () => {
  useBroker();

  async function channel(): Promise<Channel> {
    const connection = await (await import('amqplib')).connect((await sharedBroker()).url());
    connection.on('error', () => {});
    onTestFinished(() => connection.close().catch(() => {}));
    const opened = await connection.createChannel();
    opened.on('error', () => {});
    return opened;
  }

  async function declared(options: Options.AssertQueue = {}): Promise<string> {
    const queue = `intake-${randomUUID()}`;
    await (await channel()).assertQueue(queue, { durable: true, ...options });
    return queue;
  }

  async function publish(queue: string, ...batches: readonly (RecordBatch | string)[]): Promise<void> {
    const control = await (await sharedBroker()).use(async (connection) => {
      const confirmed = await connection.createConfirmChannel();
      for (const batch of batches) {
        const content =
          typeof batch === 'string' ? Buffer.from(batch) : encodeRecordBatchMessage(batch, 'lz4');
        confirmed.sendToQueue(queue, content, { persistent: true, messageId: 'an-id' });
      }
      await confirmed.waitForConfirms();
    });
    return control;
  }

  /** Messages that no consumer has: 0 also while a consumer has not answered them. */
  const readyIn = async (queue: string) => (await (await channel()).checkQueue(queue)).messageCount;

  async function started(queue: QueueWriter, ledger: Ledger, options: object) {
    const stateDirectory = await temporaryDirectory();
    const { logger, lines } = capturedLogger();
    const metrics = new Registry();
    const address = (await sharedBroker()).url();
    const configurations = parseRabbitmqIntakes(
      JSON.stringify({ address, queue_type: 'existing', ...options }),
    );
    const intakes = new Intakes(
      { queue, ledger, software: 'test/1', clock: systemClock, logger, metrics },
      configurations.map((configuration) => rabbitmqIntake({ configuration, stateDirectory })),
    );
    await intakes.start();
    onTestFinished(() => intakes.stop(AbortSignal.abort()));
    const value = async (name: string) => {
      const metric = await metrics.getSingleMetric(`aggregator_intake_rabbitmq_${name}`)?.get();
      return metric?.values[0]?.value;
    };
    return { intakes, stateDirectory, lines, value };
  }

  function waitingStore() {
    const store = new MemoryStore();
    let release = () => {};
    store.gate = new Promise((resolve) => {
      release = resolve;
    });
    const isReceived = (batch: RecordBatch) =>
      store.open(batch.stream, { collectorId: 'another', tlsSubject: undefined }).kind === 'refused';
    return { store, isReceived, release: () => release() };
  }

  /** A message without an acknowledgement is ready for other consumers when its consumer has gone. */
  async function leftBy({ intakes }: { readonly intakes: Intakes }, queue: string): Promise<number> {
    await intakes.stop(AbortSignal.timeout(60_000));
    return await readyIn(queue);
  }

  test('acknowledges a message after its records are stored', async () => {
    const queue = await declared();
    const store = new MemoryStore();
    const running = await started(store, store, { queue });
    const batch = recordBatch(['one\n']);
    await publish(queue, batch);
    await until(async () => expect(await running.value('messages_total')).toBe(1));
    expect(store.bytesOf(batch.stream).toString()).toBe('one\n');
    expect(await leftBy(running, queue)).toBe(0);
  });

  test('does not acknowledge a message whose records are not stored at the deadline', async () => {
    const queue = await declared();
    const { store, isReceived, release } = waitingStore();
    const { intakes } = await started(store, store, { queue });
    const batch = recordBatch(['one\n']);
    await publish(queue, batch);
    await until(async () => expect(await readyIn(queue)).toBe(0));
    await until(() => expect(isReceived(batch)).toBe(true));
    await intakes.stop(AbortSignal.abort());
    await until(async () => expect(await readyIn(queue)).toBe(1));
    release();
  });

  test('stores the bytes of repeated and overlapping messages once', async () => {
    const name = await declared();
    const { queue } = await queueFixture();
    const { value } = await started(queue, queue.ledger, { queue: name });
    const whole = recordBatch(['one\n', 'two\n']);
    const overlapping = recordBatch(['two\n', 'three\n'], { stream: whole.stream, start: 4 });
    await publish(name, whole, whole, overlapping);
    await until(async () => expect(await value('messages_total')).toBe(3));
    expect((await readAll(queue)).join('')).toBe('one\ntwo\nthree\n');
  });

  test('rejects a message that is no record batch to the dead letter exchange', async () => {
    const exchange = `dead-${randomUUID()}`;
    const control = await channel();
    await control.assertExchange(exchange, 'fanout', { durable: true });
    const dead = await declared();
    await control.bindQueue(dead, exchange, '');
    const queue = await declared({ deadLetterExchange: exchange });
    const store = new MemoryStore();
    const { value, lines } = await started(store, store, { queue, dead_letter_exchange: exchange });
    const batch = recordBatch(['one\n']);
    await publish(queue, 'no batch', batch);
    await until(() => expect(store.bytesOf(batch.stream).toString()).toBe('one\n'));
    await until(async () => expect(await readyIn(dead)).toBe(1));
    expect(await value('rejected_messages_total')).toBe(1);
    const line = lines.find(({ msg }) => msg.startsWith('Rejected a message'));
    expect(line).toMatchObject({ level: 50, queue, messageId: 'an-id' });
  });

  test('keeps a rejected message in the state directory without a dead letter exchange', async () => {
    const queue = await declared();
    const store = new MemoryStore();
    const running = await started(store, store, { queue });
    const damaged = encodeRecordBatchMessage(recordBatch([`${'x'.repeat(100)}\n`]), 'none');
    damaged[damaged.length - 5] = 0x21;
    const confirmed = await channel();
    confirmed.sendToQueue(queue, damaged);
    await until(async () => expect(await running.value('rejected_messages_total')).toBe(1));
    expect(await leftBy(running, queue)).toBe(0);
    const directory = join(running.stateDirectory, 'rabbitmq-rejected');
    const [file = '', ...others] = await readdir(directory);
    expect(others).toEqual([]);
    const kept = JSON.parse(await readFile(join(directory, file), 'utf8'));
    expect(Buffer.from(kept.content_base64, 'base64')).toEqual(damaged);
    expect(kept).toMatchObject({ queue, reason: 'the records do not match the check of their end' });
    expect(store.batches).toEqual([]);
  });

  test('refuses a stream of a collector that connects to the aggregator', async () => {
    const name = await declared();
    const { queue } = await queueFixture();
    const batch = recordBatch(['mine\n']);
    queue.ledger.open(batch.stream, { collectorId: 'aa'.repeat(16), tlsSubject: undefined });
    const { value } = await started(queue, queue.ledger, { queue: name });
    await publish(name, batch);
    await until(async () => expect(await value('rejected_messages_total')).toBe(1));
    expect(await readAll(queue)).toEqual([]);
  });

  test('returns the messages to the broker while the disk is full, and stores them when there is room', async () => {
    const queue = await declared();
    const store = new MemoryStore();
    const { value } = await started(store, store, { queue });
    await until(async () => expect(await value('connected')).toBe(1));
    store.setStopped('the disk is nearly full');
    const batch = recordBatch(['one\n']);
    await publish(queue, batch);
    await until(async () => expect(await readyIn(queue)).toBe(1));
    expect(store.batches).toEqual([]);
    store.setStopped(undefined);
    await until(() => expect(store.bytesOf(batch.stream).toString()).toBe('one\n'));
  });

  test('stores a batch when the broker delivers it again after a failed write', async () => {
    const queue = await declared();
    const store = new MemoryStore();
    store.failure = 'write: no space left on device';
    const { value } = await started(store, store, { queue });
    const batch = recordBatch(['one\n']);
    await publish(queue, batch);
    await until(async () => expect(await value('redelivered_messages_total')).toBeGreaterThan(0));
    store.failure = undefined;
    await until(() => expect(store.bytesOf(batch.stream).toString()).toBe('one\n'));
  });

  test('answers the batches that wait for the disk before it stops', async () => {
    const queue = await declared();
    const { store, isReceived, release } = waitingStore();
    const running = await started(store, store, { queue });
    const batch = recordBatch(['one\n']);
    await publish(queue, batch);
    await until(async () => expect(await readyIn(queue)).toBe(0));
    await until(() => expect(isReceived(batch)).toBe(true));
    const left = leftBy(running, queue);
    release();
    expect(await left).toBe(0);
    expect(store.bytesOf(batch.stream).toString()).toBe('one\n');
  });

  test('shares a queue with another aggregator', async () => {
    const name = await declared();
    const first = await queueFixture();
    const second = await queueFixture();
    const intakes = await Promise.all(
      [first, second].map(({ queue }) => started(queue, queue.ledger, { queue: name, prefetch: 1 })),
    );
    const stream = mintStreamId();
    const records = Array.from({ length: 200 }, (_, index) => `${10_000 + index}\n`);
    await publish(
      name,
      ...records.map((record, index) => recordBatch([record], { stream, start: index * record.length })),
    );
    const total = async () => {
      const values = await Promise.all(intakes.map(({ value }) => value('messages_total')));
      return values.reduce<number>((sum, value = 0) => sum + value, 0);
    };
    await until(async () => expect(await total()).toBe(records.length));
    const texts = [...(await readAll(first.queue)), ...(await readAll(second.queue))].join('');
    expect(texts.split('\n').filter(Boolean).sort()).toEqual(records.map((record) => record.trimEnd()));
    for (const { value } of intakes) expect(await value('rejected_messages_total')).toBe(0);
  });

  test('declares the queue again after it was deleted', async () => {
    const queue = `intake-${randomUUID()}`;
    const store = new MemoryStore();
    const { value } = await started(store, store, { queue, queue_type: 'classic' });
    await until(async () => expect(await value('connected')).toBe(1));
    await (await channel()).deleteQueue(queue);
    await until(async () => expect(await readyIn(queue)).toBe(0));
    const batch = recordBatch(['one\n']);
    await publish(queue, batch);
    await until(() => expect(store.bytesOf(batch.stream).toString()).toBe('one\n'));
  });

  test(
    'continues when the broker was killed and started again',
    async () => {
      const broker = await sharedBroker();
      const queue = `intake-${randomUUID()}`;
      const store = new MemoryStore();
      const { value, lines } = await started(store, store, { queue, queue_type: 'quorum' });
      await until(async () => expect(await value('connected')).toBe(1));
      await broker.syncQueueNames();
      await broker.kill();
      await until(async () => expect(await value('connected')).toBe(0));
      expect(lines.some(({ msg }) => msg.startsWith('Cannot consume from RabbitMQ'))).toBe(true);
      await broker.start();
      await until(async () => expect(await value('connected')).toBe(1));
      const batch = recordBatch(['one\n']);
      await publish(queue, batch);
      await until(() => expect(store.bytesOf(batch.stream).toString()).toBe('one\n'));
    },
    SLOW,
  );
});
