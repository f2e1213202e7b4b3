import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Emitter, EmitterState } from '../../../src/emitters/emitter.ts';
import { rabbitmqType } from '../../../src/emitters/rabbitmq/type.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { decodeRequest } from '../../../src/records/publish-codec.ts';
import { type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import { decodeRecordBatch } from '../../../src/records/wire.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../support/rabbitmq-broker.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

/** The restart of a killed broker takes a while on a busy machine. */
const SLOW = 180_000;
const never = new AbortController().signal;
const PATIENT = { timeout: 60_000, interval: 50 };
const skipped = MISSING_RABBITMQ === undefined ? '' : ` (skipped: ${MISSING_RABBITMQ})`;

interface Run {
  readonly state?: EmitterState | undefined;
  readonly nextEntry?: number;
}

describe.skipIf(MISSING_RABBITMQ !== undefined)(
  `emitter rabbitmq, exactly once into a stream${skipped}`,
  () => {
    useBroker();

    /** A stream, and emitters that follow each other on one state directory, as the processes of an aggregator do. */
    async function scene(options: object = {}) {
      const broker = await sharedBroker();
      const queue = `test-${randomUUID()}`;
      const directory = await mkdtemp(join(tmpdir(), 'mega-collector-test-'));
      onTestFinished(() => rm(directory, { recursive: true, force: true }));
      const address = `rabbitmq-stream://127.0.0.1:${broker.streamPort}`;
      const configuration = JSON.stringify({ address, queue, queue_type: 'stream', body: 'raw', ...options });
      const begin = async ({ state, nextEntry = 1_000_000 }: Run = {}) => {
        const [configured] = rabbitmqType.parse(configuration);
        if (configured === undefined) throw new Error('no emitter');
        const environment = emitterEnvironment({
          clock: systemClock,
          stateDirectory: directory,
          state,
          nextEntry,
        });
        const emitter = await rabbitmqType.create(configured.configuration, environment);
        onTestFinished(() => emitter.stop(AbortSignal.abort()));
        await emitter.start();
        const value = async (name: string) => {
          const metric = environment.metrics.getSingleMetric(`aggregator_emitter_rabbitmq_${name}`);
          return (await metric?.get())?.values[0]?.value;
        };
        return { emitter, value, logs: environment.logs };
      };
      return { queue, broker, directory, begin };
    }

    /** An entry of the queue. */
    function entry(number: number, records: readonly string[]): RecordBatch {
      return { ...recordBatch(records), place: { entry: number, start: 0 } };
    }

    async function deliver(
      emitter: Emitter,
      ...slices: readonly RecordBatch[]
    ): Promise<EmitterState | undefined> {
      expect(await emitter.emit(batchOf(slices), never)).toEqual({ kind: 'delivered' });
      const flushed = await emitter.flush(never);
      if (flushed.kind !== 'delivered') throw new Error(flushed.reason);
      return flushed.state;
    }

    /** Everything in the stream, in order: the end is a message of this test. */
    async function contents(queue: string): Promise<readonly Buffer[]> {
      const broker = await sharedBroker();
      const end = randomUUID();
      return await broker.use(async (connection) => {
        const channel = await connection.createConfirmChannel();
        channel.sendToQueue(queue, Buffer.from(end));
        await channel.waitForConfirms();
        await channel.prefetch(100);
        const found: Buffer[] = [];
        await new Promise<void>((resolve, reject) => {
          channel
            .consume(
              queue,
              (message) => {
                if (message === null) return reject(new Error('the stream was deleted'));
                channel.ack(message);
                if (message.content.toString() === end) resolve();
                else found.push(message.content);
              },
              { arguments: { 'x-stream-offset': 'first' } },
            )
            .catch(reject);
        });
        return found;
      });
    }

    const textsOf = async (queue: string) => (await contents(queue)).map((content) => content.toString());

    test('creates the stream and publishes each record', async () => {
      const { queue, begin } = await scene({ max_bytes: '10MiB' });
      const { emitter, value } = await begin();
      await deliver(emitter, entry(1, lines(200)), entry(2, lines(3, 'more')));
      expect(await textsOf(queue)).toEqual(
        [...lines(200), ...lines(3, 'more')].map((line) => line.trimEnd()),
      );
      expect(await value('messages_total')).toBe(203);
    });

    test('publishes records with their attributes as JSON', async () => {
      const { queue, begin } = await scene({ body: 'json' });
      const { emitter } = await begin();
      await deliver(emitter, entry(1, lines(2)));
      const records = (await textsOf(queue)).map((text) => JSON.parse(text) as unknown);
      expect(records).toMatchObject([{ body: 'line 0' }, { body: 'line 1' }]);
    });

    test('writes record batches that consumers of AMQP 0.9.1 recognise', async () => {
      const { queue, broker, begin } = await scene({ body: 'record-batch' });
      const { emitter } = await begin();
      const slice = entry(4, lines(100));
      await deliver(emitter, slice);
      const properties = await broker.use(async (connection) => {
        const channel = await connection.createChannel();
        await channel.prefetch(1);
        return await new Promise((resolve) => {
          const options = { arguments: { 'x-stream-offset': 'first' } };
          void channel.consume(queue, (message) => resolve(message?.properties), options);
        });
      });
      expect(properties).toMatchObject({
        messageId: `${slice.stream}/0`,
        type: 'megacollector.record-batch',
        contentType: 'application/vnd.megacollector.record-batch',
        appId: 'mega-collector',
      });
      const [message = Buffer.alloc(0)] = await contents(queue);
      const request = decodeRequest(message);
      if (request.kind !== 'batch') throw new Error(request.kind);
      expect(decodeRecordBatch(request.batch.records).sizes).toEqual(slice.sizes);
    });

    test.each(['raw', 'record-batch'])(
      'publishes each record once after a crash between the flush and the commit (%s)',
      async (body) => {
        const { queue, begin } = await scene({ body });
        const slice = entry(1, lines(40));
        const first = await begin();
        await deliver(first.emitter, sliceRecords(slice, 0, 25));
        await first.emitter.stop(AbortSignal.abort());
        // Nothing was committed: the next process begins at the cursor, and cuts its batches differently.
        const second = await begin();
        await deliver(
          second.emitter,
          sliceRecords(slice, 0, 10),
          sliceRecords(slice, 10, 40),
          entry(2, ['end\n']),
        );
        expect(await second.value('stored_records_total')).toBe(25);
        const found = await contents(queue);
        const texts = body === 'raw' ? found.map((each) => `${each.toString()}\n`) : found.flatMap(recordsOf);
        expect(texts).toEqual([...lines(40), 'end\n']);
      },
    );

    test('sends nothing twice when a batch of which a part is stored is emitted again', async () => {
      const { queue, begin } = await scene();
      const { emitter } = await begin();
      const slice = entry(1, lines(30));
      expect(await emitter.emit(batchOf([sliceRecords(slice, 0, 20)]), never)).toEqual({ kind: 'delivered' });
      await deliver(emitter, slice);
      expect(await textsOf(queue)).toEqual(lines(30).map((line) => line.trimEnd()));
    });

    test('keeps each record once when the broker is killed, in one process', { timeout: SLOW }, async () => {
      const { queue, broker, begin } = await scene({ confirm_timeout: '10s', timeout: '5s' });
      const { emitter } = await begin();
      const slice = entry(1, lines(500));
      let state = await deliver(emitter, sliceRecords(slice, 0, 100));
      expect(state).toBeDefined();
      await emitter.emit(batchOf([sliceRecords(slice, 100, 300)]), never);
      await broker.syncQueueNames();
      await broker.kill();
      await broker.start();
      await vi.waitFor(async () => {
        state = await deliver(emitter, sliceRecords(slice, 100, 500));
      }, PATIENT);
      expect(await textsOf(queue)).toEqual(lines(500).map((line) => line.trimEnd()));
    });

    test('publishes again with a new name when the operator lets the emitter begin again', async () => {
      const { queue, directory, begin } = await scene();
      const producer = async () => await readFile(join(directory, 'rabbitmq/test/producer.json'), 'utf8');
      const first = await begin();
      const state = await deliver(first.emitter, entry(1, lines(2)));
      await first.emitter.committed?.();
      const name = await producer();
      const again = await begin({ state });
      await deliver(again.emitter, entry(1, lines(2)), entry(2, ['new\n']));
      expect(await producer()).toBe(name);
      const forgotten = await begin({ state: undefined });
      await deliver(forgotten.emitter, entry(1, lines(2)));
      expect(await producer()).not.toBe(name);
      expect(await textsOf(queue)).toEqual(['line 0', 'line 1', 'new', 'line 0', 'line 1']);
    });

    test('publishes new records under numbers that the stream has, when the queue was restored from a copy', async () => {
      const { queue, begin } = await scene();
      const first = await begin();
      const state = await deliver(first.emitter, entry(50, ['before\n']));
      await first.emitter.committed?.();
      // The copy ends with entry 39, and the next records become entries 40 and 50 again.
      const restored = await begin({ state, nextEntry: 40 });
      await deliver(restored.emitter, entry(40, ['after\n']), entry(50, ['later\n']));
      expect(await textsOf(queue)).toEqual(['before', 'after', 'later']);
      expect(restored.logs.map(({ msg }) => msg).join()).toContain('restored from a copy');
    });

    test('publishes a dead letter once, after newer records', async () => {
      const { queue, begin } = await scene();
      const { emitter } = await begin();
      const letter = recordBatch(lines(2, 'letter'), { start: 99 });
      await deliver(emitter, entry(7, ['newer\n']));
      await deliver(emitter, letter);
      await emitter.stop(AbortSignal.abort());
      const second = await begin();
      await deliver(second.emitter, letter, entry(8, ['newest\n']));
      expect(await textsOf(queue)).toEqual(['newer', 'letter 0', 'letter 1', 'newest']);
    });

    test('rejects exactly the record that is larger than a frame of the broker', async () => {
      const { queue, begin } = await scene();
      const { emitter } = await begin();
      const large = `${'x'.repeat(1_048_570)}\n`;
      const slice = entry(1, ['a\n', large, 'b\n']);
      const outcome = await emitter.emit(batchOf([entry(0, ['0\n']), slice]), never);
      expect(outcome).toMatchObject({ kind: 'rejected', records: [2] });
      await deliver(emitter, entry(0, ['0\n']), sliceRecords(slice, 0, 1), sliceRecords(slice, 2, 3));
      expect(await textsOf(queue)).toEqual(['0', 'a', 'b']);
    });

    test('publishes record batches that no compression makes smaller than a frame', async () => {
      const { queue, begin } = await scene({ body: 'record-batch', compression: 'none' });
      const { emitter } = await begin();
      const records = Array.from({ length: 12 }, (_, index) => `${String(index).repeat(150_000)}\n`);
      await deliver(emitter, entry(1, records));
      expect((await contents(queue)).flatMap(recordsOf)).toEqual(records);
    });

    test('waits while the stream does not exist, and is not created', async () => {
      const { begin } = await scene({ queue_type: 'existing' });
      const { emitter } = await begin();
      const outcome = await emitter.emit(batchOf([entry(1, lines(1))]), never);
      expect(outcome).toMatchObject({ kind: 'retry' });
      expect(outcome.kind === 'retry' && outcome.reason).toContain('the stream does not exist');
    });

    test('reports a wrong password without the password', async () => {
      const { begin } = await scene({ username: 'guest', password: 'secret-word' });
      const { emitter } = await begin();
      const outcome = await emitter.emit(batchOf([entry(1, lines(1))]), never);
      if (outcome.kind !== 'retry') throw new Error(outcome.kind);
      expect(outcome.reason).toContain('the broker rejects the user or the password');
      expect(outcome.reason).not.toContain('secret-word');
    });

    test('tries each broker without creating the stream', async () => {
      const { broker, queue } = await scene();
      const port = await freePort();
      const address = [
        `rabbitmq-stream://127.0.0.1:${broker.streamPort}`,
        `rabbitmq-stream://127.0.0.1:${port}`,
      ];
      const [configured] = rabbitmqType.parse(JSON.stringify({ address, queue, queue_type: 'stream' }));
      const signal = AbortSignal.timeout(30_000);
      const context = { name: 'test', stateDirectory: '/nonexistent', clock: systemClock, signal };
      const trials = await rabbitmqType.tryConnections?.(configured?.configuration as never, context);
      expect(trials?.map(({ target, failure }) => [target, failure?.reason])).toEqual([
        [`RabbitMQ rabbitmq-stream://127.0.0.1:${broker.streamPort}`, undefined],
        [`RabbitMQ rabbitmq-stream://127.0.0.1:${port}`, 'nothing is listening (connection refused)'],
      ]);
    });
  },
);

/** The records of a message, as text. */
function recordsOf(content: Buffer): readonly string[] {
  const request = decodeRequest(content);
  if (request.kind !== 'batch') throw new Error(request.kind);
  const { sizes, data } = decodeRecordBatch(request.batch.records);
  let offset = 0;
  return Array.from(sizes, (size) => {
    offset += size;
    return Buffer.from(data.subarray(offset - size, offset)).toString();
  });
}
