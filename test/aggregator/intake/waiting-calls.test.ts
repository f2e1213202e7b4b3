import { connect, constants } from 'node:http2';
import type { Registry } from 'prom-client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { checkOf } from '../../../src/records/check.ts';
import { encodeBatchRequest } from '../../../src/records/publish-codec.ts';
import { mintStreamId, streamIdToBytes } from '../../../src/records/stream-id.ts';
import { BufferPool } from '../../../src/runtime/buffer-pool.ts';
import { RawPublishClient } from '../../support/raw-publish-client.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { startIntake } from '../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 30_000, interval: 10 });
const MIB = 1024 * 1024;
const CLIENTS = 40;
const RECORDS = Array.from({ length: 4 }, () => `${'x'.repeat(MIB / 4 - 1)}\n`);

/** Counts the memory of messages in use. */
class CountedPool extends BufferPool {
  bytes = 0;
  mostBytes = 0;
  largest = 0;

  constructor() {
    super({ largestBytes: 8 * MIB, keptBytes: 0 });
  }

  override take(bytes: number): Buffer {
    const buffer = super.take(bytes);
    this.#count(buffer.length);
    this.largest = Math.max(this.largest, buffer.length);
    return buffer;
  }

  override release(bytes: Uint8Array): void {
    this.#count(-bytes.buffer.byteLength);
    super.release(bytes);
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    this.mostBytes = Math.max(this.mostBytes, this.bytes);
  }
}

/** A collector that has opened its stream, and sends a batch of 1 MiB. */
async function sendingClient(address: string, id: number): Promise<RawPublishClient> {
  const collectorId = Buffer.alloc(16);
  collectorId.writeUInt32BE(id + 1);
  const stream = mintStreamId();
  const client = new RawPublishClient(address)
    .read()
    .hello(collectorId)
    .send({ $case: 'openStream', value: { stream: streamIdToBytes(stream), accepted: 0n } });
  await until(() => expect(client.responses.map(({ $case }) => $case)).toContain('streamOpened'));
  const batch = recordBatch(RECORDS, { stream });
  client.send(
    encodeBatchRequest({
      ...{ sequence: 1, batch, endCheck: checkOf(batch.data) },
      data: { compression: 'none', bytes: batch.data },
    }),
  );
  return client;
}

async function answeredHello(address: string): Promise<void> {
  const client = new RawPublishClient(address).read().hello(Buffer.alloc(16));
  await until(() => expect(client.responses).toHaveLength(1));
}

const sendingClients = (address: string) =>
  Promise.all(Array.from({ length: CLIENTS }, (_, id) => sendingClient(address, id)));

async function gauge(metrics: Registry, name: string): Promise<number> {
  return Number(/ (\d+)$/m.exec(await metrics.getSingleMetricAsString(name))?.[1]);
}

const areAccepted = (clients: readonly RawPublishClient[]) =>
  until(() => {
    for (const { responses } of clients) expect(responses.at(-1)?.$case).toBe('accepted');
  });

it('calls hold no batch while the queue is stopped, and are served when it continues', async () => {
  const messages = new CountedPool();
  const { store, address, metrics } = await startIntake({ messages });
  store.setStopped('the disk is full');
  const clients = await sendingClients(address);
  const late = await sendingClient(address, CLIENTS);
  // The size of each batch has arrived.
  await until(async () =>
    expect(await gauge(metrics, 'aggregator_intake_unfinished_bytes')).toBe((CLIENTS + 1) * 5),
  );
  expect(messages.largest).toBeLessThan(4_096);
  store.setStopped(undefined);
  await areAccepted([...clients, late]);
  expect(store.batches).toHaveLength(CLIENTS + 1);
});

it('calls hold no more than the limit of all together while the queue has no room, and lose nothing', async () => {
  const messages = new CountedPool();
  const { store, address, metrics } = await startIntake({ messages, limits: { messagesBytes: 16 * MIB } });
  let release = () => {};
  store.gate = new Promise((resolve) => {
    release = resolve;
  });
  const clients = await sendingClients(address);
  await until(async () =>
    expect(await gauge(metrics, 'aggregator_intake_unanswered_bytes')).toBeGreaterThanOrEqual(16 * MIB),
  );
  for (let round = 0; round < 20; round++) await answeredHello(address);
  // A batch of 1 MiB has a buffer of 2 MiB. 16 batches of them, and one more, wait for the commit.
  expect(messages.bytes).toBeLessThanOrEqual(17 * 2 * MIB + 16 * MIB);
  release();
  await areAccepted(clients);
  expect(store.batches).toHaveLength(CLIENTS);
});

it('requests about streams are answered while large batches wait', async () => {
  const { store, address } = await startIntake();
  const client = new RawPublishClient(address).read().hello();
  await until(() => expect(client.responses).toHaveLength(1));
  store.setStopped('the disk is full');
  client.send({ $case: 'openStream', value: { stream: streamIdToBytes(mintStreamId()), accepted: 0n } });
  await until(() => expect(client.responses.at(-1)?.$case).toBe('streamOpened'));
});

it('calls of one connection that hold more than its window end, and others are served', async () => {
  const { store, address, lines } = await startIntake();
  store.setStopped('the disk is full');
  const session = connect(`http://${address}`);
  onTestFinished(() => session.destroy());
  session.on('error', () => {});
  const codes: number[] = [];
  for (let call = 0; call < 4; call++) {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': '/megacollector.v1.Aggregator/Publish' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    stream.on('error', () => {});
    stream.on('close', () => codes.push(stream.rstCode));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(6 * MIB - 1, 1);
    stream.write(Buffer.concat([head, Buffer.alloc(6 * MIB - 1)]));
  }
  await until(() => expect(codes.length).toBeGreaterThanOrEqual(2));
  expect(new Set(codes)).toEqual(new Set([constants.NGHTTP2_ENHANCE_YOUR_CALM]));
  expect(lines.map(({ reason }) => reason)).toContain('the calls of a connection exceed its window');
  store.setStopped(undefined);
  await areAccepted([await sendingClient(address, 1)]);
});
