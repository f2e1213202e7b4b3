import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Channel, GetMessage, Options } from 'amqplib';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Emitter } from '../../../src/emitters/emitter.ts';
import { rabbitmqType } from '../../../src/emitters/rabbitmq/type.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { decodeRequest } from '../../../src/records/publish-codec.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { decodeRecordBatch } from '../../../src/records/wire.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import type { TlsMaterial } from '../../../src/runtime/tls.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../support/rabbitmq-broker.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

/** The restart of a killed broker takes a while on a busy machine. */
const SLOW = 180_000;
const never = new AbortController().signal;
const PATIENT = { timeout: 60_000, interval: 50 };
const skipped = MISSING_RABBITMQ === undefined ? '' : ` (skipped: ${MISSING_RABBITMQ})`;

interface Certificates {
  readonly ca: string;
  readonly client: TlsMaterial;
}

describe.skipIf(MISSING_RABBITMQ !== undefined)(`emitter rabbitmq${skipped}`, () => {
  let certificates: Certificates | undefined;

  useBroker(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mega-collector-test-'));
    afterAll(() => rm(directory, { recursive: true, force: true }));
    const authority = await CertificateAuthority.create('Test Authority', directory);
    const server = await authority.issue({ name: 'localhost' });
    certificates = { ca: authority.certificate, client: await authority.issue({ name: 'client' }) };
    return { ca: authority.certificate, certificate: server.certificate, key: server.key };
  });

  async function channel(): Promise<Channel> {
    const connection = await (await import('amqplib')).connect((await sharedBroker()).url());
    connection.on('error', () => {});
    onTestFinished(() => connection.close().catch(() => {}));
    const opened = await connection.createChannel();
    opened.on('error', () => {});
    return opened;
  }

  async function started(options: object) {
    const configuration = JSON.stringify({ address: (await sharedBroker()).url(), ...options });
    const [configured] = rabbitmqType.parse(configuration);
    if (configured === undefined) throw new Error('no emitter');
    const environment = emitterEnvironment({ clock: systemClock });
    const emitter = await rabbitmqType.create(configured.configuration, environment);
    onTestFinished(() => emitter.stop(AbortSignal.abort()));
    await emitter.start();
    const value = async (name: string) => {
      const metric = await environment.metrics.getSingleMetric(`aggregator_emitter_rabbitmq_${name}`)?.get();
      return metric?.values[0]?.value;
    };
    return { emitter, value };
  }

  /** The reason of a retry, from `emit` or from `flush`. */
  async function failureOf(emitter: Emitter, ...slices: readonly RecordBatch[]): Promise<string> {
    const emitted = await emitter.emit(batchOf(slices), never);
    const outcome = emitted.kind === 'delivered' ? await emitter.flush(never) : emitted;
    if (outcome.kind !== 'retry') throw new Error(`the outcome is ${outcome.kind}`);
    return outcome.reason;
  }

  async function deliver(emitter: Emitter, ...slices: readonly RecordBatch[]): Promise<void> {
    expect(await emitter.emit(batchOf(slices), never)).toEqual({ kind: 'delivered' });
    expect(await emitter.flush(never)).toEqual({ kind: 'delivered' });
  }

  /** Waits until delivery would have succeeded, as delivery does: the same batch again after each failure. */
  async function deliverPatiently(emitter: Emitter, slice: RecordBatch): Promise<void> {
    await vi.waitFor(() => deliver(emitter, slice), PATIENT);
  }

  async function messagesOf(queue: string): Promise<readonly GetMessage[]> {
    const messages: GetMessage[] = [];
    const reader = await channel();
    for (;;) {
      const message = await reader.get(queue, { noAck: true });
      if (message === false) return messages;
      messages.push(message);
    }
  }

  const textsOf = async (queue: string) => (await messagesOf(queue)).map(({ content }) => content.toString());

  async function declared(options: Options.AssertQueue = {}): Promise<string> {
    const queue = `test-${randomUUID()}`;
    await (await channel()).assertQueue(queue, { durable: true, ...options });
    return queue;
  }

  test('publishes a record batch that has everything of the records', async () => {
    const queue = `test-${randomUUID()}`;
    const { emitter } = await started({ queue });
    const slice = recordBatch(lines(100), { start: 4711, format: 'json' });
    await deliver(emitter, slice);
    const [message, ...others] = await messagesOf(queue);
    expect(others).toEqual([]);
    expect(message?.properties).toMatchObject({
      messageId: `${slice.stream}/4711`,
      deliveryMode: 2,
      type: 'megacollector.record-batch',
    });
    const request = decodeRequest(message?.content ?? Buffer.alloc(0));
    if (request.kind !== 'batch') throw new Error(request.kind);
    const received = decodeRecordBatch(request.batch.records);
    expect({ ...received, data: Buffer.from(received.data) }).toEqual(slice);
  });

  test('cuts a large batch into messages of at most 1 MiB', async () => {
    const queue = `test-${randomUUID()}`;
    const { emitter } = await started({ queue });
    const record = `${'x'.repeat(300_000)}\n`;
    await deliver(emitter, recordBatch([record, record, record, record, record]));
    expect(await messagesOf(queue)).toHaveLength(2);
  });

  test('routes each record by its attributes', async () => {
    const queue = `test-${randomUUID()}`;
    const { emitter } = await started({
      ...{ queue, queue_type: 'classic', exchange: `exchange-${queue}`, binding_key: 'logs.#' },
      ...{ body: 'json', routing_key: 'logs.{host.name}.{severity}.{missing}' },
    });
    const slice = recordBatch(['{"level":"error","message":"it failed"}\n', '{"message":"all is well"}\n'], {
      format: 'json',
      resource: new Map([['host.name', 'web.example.com']]),
    });
    await deliver(emitter, slice);
    const messages = await messagesOf(queue);
    expect(messages.map(({ fields }) => fields.routingKey)).toEqual([
      'logs.web_example_com.error.unknown',
      'logs.web_example_com.unknown.unknown',
    ]);
    expect(JSON.parse(String(messages[0]?.content))).toMatchObject({ body: 'it failed', severity: 'error' });
  });

  test('retries when no queue receives a message, and loses none', async () => {
    const exchange = `exchange-${randomUUID()}`;
    const queue = await declared();
    const control = await channel();
    await control.assertExchange(exchange, 'topic', { durable: true });
    await control.bindQueue(queue, exchange, 'json');
    const { emitter, value } = await started({ exchange, routing_key: '{format}', body: 'raw' });
    const known = recordBatch(['known\n'], { format: 'json' });
    const unknown = recordBatch(['unknown\n'], { format: 'plain' });
    expect(await failureOf(emitter, known, unknown)).toContain('no queue receives messages');
    expect(await value('returned_messages_total')).toBe(1);
    await control.bindQueue(queue, exchange, '#');
    await deliver(emitter, known, unknown);
    expect(await textsOf(queue)).toEqual(expect.arrayContaining(['known', 'unknown']));
  });

  test('retries when the broker does not store a message (nack)', async () => {
    const queue = await declared({ maxLength: 1, overflow: 'reject-publish' });
    const { emitter } = await started({ queue, queue_type: 'existing', body: 'raw' });
    const slice = recordBatch(lines(5));
    expect(await failureOf(emitter, slice)).toContain('nack');
    const control = await channel();
    const taken: string[] = [];
    await control.consume(queue, (message) => void taken.push(String(message?.content)), { noAck: true });
    await deliverPatiently(emitter, slice);
    await vi.waitFor(
      () => expect([...new Set(taken)].sort()).toEqual(lines(5).map((line) => line.trimEnd())),
      PATIENT,
    );
  });

  test('holds while the broker has an alarm, and sends nothing twice after it', async () => {
    const own = await sharedBroker();
    const queue = await declared();
    const { emitter, value } = await started({
      ...{ queue, queue_type: 'existing', body: 'raw', confirm_timeout: '300ms' },
    });
    await deliver(emitter, recordBatch(['before\n']));
    await own.raiseDiskAlarm();
    const slice = recordBatch(['during\n']);
    expect(await failureOf(emitter, slice)).toContain('accepts no messages');
    expect(await failureOf(emitter, slice)).toContain('accepts no messages');
    expect(await value('blocked')).toBe(1);
    await own.clearDiskAlarm();
    await deliverPatiently(emitter, slice);
    await deliver(emitter, recordBatch(['after\n']));
    expect(await value('blocked')).toBe(0);
    expect(await textsOf(queue)).toEqual(['before', 'during', 'after']);
  });

  test('declares a deleted queue again', async () => {
    const queue = `test-${randomUUID()}`;
    const { emitter } = await started({ queue, body: 'raw' });
    await deliver(emitter, recordBatch(['lost with the queue\n']));
    await (await channel()).deleteQueue(queue);
    const slice = recordBatch(['kept\n']);
    expect(await failureOf(emitter, slice)).toContain('no queue receives messages');
    await deliver(emitter, slice);
    expect(await textsOf(queue)).toEqual(['kept']);
  });

  test('publishes to a stream', async () => {
    const queue = `test-${randomUUID()}`;
    const { emitter } = await started({ queue, queue_type: 'stream', body: 'raw', max_bytes: '10MiB' });
    await deliver(emitter, recordBatch(lines(3)));
    const reader = await channel();
    await reader.prefetch(10);
    const texts: string[] = [];
    const onMessage = (message: { readonly content: Buffer } | null) => {
      if (message !== null) texts.push(message.content.toString());
    };
    await reader.consume(queue, onMessage, { arguments: { 'x-stream-offset': 'first' } });
    await vi.waitFor(() => expect(texts).toEqual(['line 0', 'line 1', 'line 2']), PATIENT);
  });

  test('tries each broker without declaring anything', async () => {
    const own = await sharedBroker();
    const port = await freePort();
    const queue = `test-${randomUUID()}`;
    const address = [own.url(), `amqp://127.0.0.1:${port}`];
    const [configured] = rabbitmqType.parse(JSON.stringify({ address, queue }));
    const signal = AbortSignal.timeout(30_000);
    const context = { name: 'test', stateDirectory: '/nonexistent', clock: systemClock, signal };
    const trials = await rabbitmqType.tryConnections?.(configured?.configuration as never, context);
    expect(trials).toEqual([
      { target: `RabbitMQ amqp://127.0.0.1:${own.port}` },
      {
        target: `RabbitMQ amqp://127.0.0.1:${port}`,
        failure: expect.objectContaining({ reason: expect.stringContaining('refused') }),
      },
    ]);
    await expect((await channel()).checkQueue(queue)).rejects.toThrow('NOT_FOUND');
  });

  test('uses another broker when the first one cannot be reached', async () => {
    const queue = await declared();
    const own = await sharedBroker();
    const address = [`amqp://127.0.0.1:${await freePort()}`, own.url()];
    const { emitter } = await started({ address, queue, queue_type: 'existing', body: 'raw' });
    await deliver(emitter, recordBatch(['a\n']));
    expect(await textsOf(queue)).toEqual(['a']);
  });

  test('connects with TLS to a virtual host', async () => {
    const own = await sharedBroker();
    const vhost = `host ${randomUUID()}`;
    await own.control('add_vhost', vhost);
    await own.control('set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*');
    const address = `amqps://localhost:${own.tlsPort}/${encodeURIComponent(vhost)}`;
    const queue = `test-${randomUUID()}`;
    const { ca = '', client } = certificates ?? {};
    const tls = { ca, certificate: client?.certificate, key: client?.key };
    const { emitter } = await started({ address, queue, ...tls });
    await deliver(emitter, recordBatch(['a\n']));
    expect(
      await own.use(async (model) => (await model.createChannel()).checkQueue(queue), vhost),
    ).toMatchObject({
      messageCount: 1,
    });
    const { emitter: untrusting } = await started({ address, queue });
    expect(await failureOf(untrusting, recordBatch(['a\n']))).toContain('not trusted');
  });

  test('reports a wrong password without the password', async () => {
    const own = await sharedBroker();
    const address = own.url('/', 'guest', 'wrong-secret');
    const { emitter } = await started({ address, queue: 'any' });
    const reason = await failureOf(emitter, recordBatch(['a\n']));
    expect(reason).toContain('ACCESS_REFUSED');
    expect(reason).not.toContain('wrong-secret');
  });

  test('holds a record batch that a filter has changed', async () => {
    const { emitter } = await started({ queue: `test-${randomUUID()}` });
    const slice = recordBatch(['a\n']);
    const record = {
      ...{ body: 'b', attributes: new Map(), observedTimeUnixNano: 0n, resource: new Map() },
      ...{ format: 'plain', stream: slice.stream, position: 0 },
    };
    const changed = { ...slice, changed: [{ index: 0, record, hasOwnBody: true }] };
    expect(await failureOf(emitter, changed)).toContain('filter');
  });

  test(
    'delivers each record after the broker was killed',
    async () => {
      const own = await sharedBroker();
      const queue = `test-${randomUUID()}`;
      const { emitter } = await started({ queue, body: 'raw' });
      await deliver(emitter, recordBatch(['before\n']));
      await emitter.emit(batchOf([recordBatch(['unflushed\n'])]), never);
      await own.syncQueueNames();
      await own.kill();
      const slice = recordBatch(lines(50));
      expect(await failureOf(emitter, slice)).toMatch(/\w/);
      await own.start();
      await deliverPatiently(emitter, slice);
      const texts = new Set(await textsOf(queue));
      expect([...texts].filter((text) => text !== 'unflushed')).toEqual([
        'before',
        ...lines(50).map((line) => line.trimEnd()),
      ]);
    },
    SLOW,
  );
});
