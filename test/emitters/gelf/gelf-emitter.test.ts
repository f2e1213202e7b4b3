import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseGelfConfiguration } from '../../../src/emitters/gelf/configuration.ts';
import { GelfEmitter } from '../../../src/emitters/gelf/gelf-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { DatagramReceiver } from '../../support/datagram-receiver.ts';
import { decodeStream, GelfDatagramDecoder } from '../../support/gelf-decoder.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { StreamReceiver } from '../../support/stream-receiver.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const going = new AbortController().signal;

async function emitter(settings: Record<string, unknown>) {
  const [configured] = parseGelfConfiguration(JSON.stringify(settings));
  if (configured === undefined) throw new Error('nothing configured');
  const { logger, lines: logged } = capturedLogger();
  const metrics = new Registry();
  const made = new GelfEmitter(configured.configuration, {
    name: 'gelf',
    state: undefined,
    stateDirectory: '/nonexistent',
    logger,
    metrics,
    clock: systemClock,
  });
  onTestFinished(() => made.stop(AbortSignal.abort()));
  await made.start();
  const counter = async (name: string) => {
    const metric = await metrics.getSingleMetric(`aggregator_emitter_gelf_${name}_total`)?.get();
    return metric?.values[0]?.value ?? 0;
  };
  return { made, logged, counter };
}

const batch = (count: number, prefix = 'line') => batchOf([recordBatch(lines(count, prefix))]);
const bodies = (receiver: StreamReceiver, delimiter = 0) =>
  decodeStream(receiver.received, delimiter).messages.map(({ short_message }) => short_message);
const expected = (count: number, prefix = 'line') =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

describe('over a stream', () => {
  it('delivers every record with all its fields', async () => {
    const receiver = await StreamReceiver.start();
    const { made, counter } = await emitter({ address: `tcp://127.0.0.1:${receiver.port}` });
    const slice = recordBatch(['{"level":"error","msg":"it broke","status":500,"ok":false}\n'], {
      format: 'json',
    });
    expect(await made.emit(batchOf([recordBatch(lines(1_000)), slice]), going)).toEqual({
      kind: 'delivered',
    });
    expect(await made.flush(going)).toEqual({ kind: 'delivered' });
    await expect.poll(() => bodies(receiver).length).toBe(1_001);
    expect(bodies(receiver).slice(0, 1_000)).toEqual(expected(1_000));
    const last = decodeStream(receiver.received, 0).messages.at(-1);
    expect(last).toMatchObject({
      host: 'test-host',
      short_message: 'it broke',
      level: 3,
      timestamp: 1_700_000_000,
      _status: 500,
      _ok: 'false',
      _stream: slice.stream,
      _position: 0,
    });
    expect(await counter('messages')).toBe(1_001);
    expect(await counter('bytes')).toBe(receiver.received.length);
  });

  it('returns retry while no receiver is listening, and delivers once one is', async () => {
    const port = await freePort();
    const { made, counter } = await emitter({ address: `tcp://127.0.0.1:${port}` });
    expect(await made.emit(batch(3), going)).toEqual({
      kind: 'retry',
      reason: `tcp://127.0.0.1:${port}: nothing is listening (connection refused)`,
      rolledBack: true,
    });
    expect(await made.flush(going)).toEqual({ kind: 'delivered' });
    const receiver = await StreamReceiver.start({ port });
    expect(await made.emit(batch(3), going)).toEqual({ kind: 'delivered' });
    expect(await made.flush(going)).toEqual({ kind: 'delivered' });
    await expect.poll(() => bodies(receiver)).toEqual(expected(3));
    expect(await counter('failures')).toBe(1);
  });

  it.each(['close-after-each', 'reset', 'half-open', 'reset-at-once'] as const)(
    'delivers nothing that a receiver with %s may have lost',
    async (behaviour) => {
      const receiver = await StreamReceiver.start({ behaviour });
      const { made } = await emitter({ address: `tcp://127.0.0.1:${receiver.port}` });
      const outcome = await made.emit(batch(10), going);
      if (outcome.kind === 'delivered') {
        expect(await made.flush(going)).toMatchObject({ kind: 'retry', rolledBack: true });
      }
      receiver.behaviour = 'read';
      const before = receiver.connections.length;
      expect(await made.emit(batch(10), going)).toEqual({ kind: 'delivered' });
      expect(await made.flush(going)).toEqual({ kind: 'delivered' });
      await expect
        .poll(() => decodeStream(Buffer.concat(receiver.connections.slice(before)), 0).messages.length)
        .toBe(10);
    },
  );

  it('opens a new connection, without a retry, when an idle one was closed', async () => {
    const receiver = await StreamReceiver.start();
    const { made } = await emitter({ address: `tcp://127.0.0.1:${receiver.port}` });
    await made.emit(batch(1, 'a'), going);
    expect(await made.flush(going)).toEqual({ kind: 'delivered' });
    await expect.poll(() => receiver.sockets.length).toBe(1);
    receiver.sockets[0]?.end();
    await expect.poll(() => receiver.sockets[0]?.destroyed).toBe(true);
    expect(await made.emit(batch(1, 'b'), going)).toEqual({ kind: 'delivered' });
    expect(await made.flush(going)).toEqual({ kind: 'delivered' });
    await expect.poll(() => bodies(receiver)).toEqual(['a 0', 'b 0']);
  });

  it('returns retry for a receiver that stops reading, and after an abort', async () => {
    const receiver = await StreamReceiver.start({ behaviour: 'read-nothing' });
    const { made } = await emitter({ address: `tcp://127.0.0.1:${receiver.port}`, timeout: '200ms' });
    const large = batchOf([recordBatch(Array.from({ length: 100 }, () => `${'x'.repeat(30_000)}\n`))]);
    let outcome = await made.emit(large, going);
    for (let i = 0; i < 20 && outcome.kind === 'delivered'; i++) outcome = await made.emit(large, going);
    expect(outcome).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('accepted nothing within 200 ms'),
    });
    expect(await made.emit(large, AbortSignal.abort())).toMatchObject({ kind: 'retry' });
  });

  it('truncates messages above the limit, and logs it once', async () => {
    const receiver = await StreamReceiver.start();
    const { made, logged, counter } = await emitter({
      address: `tcp://127.0.0.1:${receiver.port}`,
      max_message_bytes: 4_096,
    });
    const long = recordBatch([`first\n${'x'.repeat(5_000)}`, `${'y'.repeat(9_000)}\n`]);
    expect(await made.emit(batchOf([long]), going)).toEqual({ kind: 'delivered' });
    await made.flush(going);
    await expect.poll(() => bodies(receiver).length).toBe(2);
    expect(bodies(receiver)[1]).toMatch(/^y+ \[cut: \d+ bytes missing\]$/);
    expect(await counter('cut_messages')).toBe(2);
    expect(logged.filter(({ msg }) => msg.includes('Truncated a message'))).toHaveLength(1);
  });
});

describe('over TLS', () => {
  it('trusts the configured authority, which reopen reads again', async () => {
    const [first, second] = await Promise.all([CertificateAuthority.create(), CertificateAuthority.create()]);
    const { certificate: cert, key } = await second.issue({ name: 'graylog' });
    const receiver = await StreamReceiver.start({ tls: { cert, key } });
    const path = join(await temporaryDirectory(), 'ca.pem');
    await writeFile(path, first.certificate);
    const address = `tls://localhost:${receiver.port}`;
    const { made, logged } = await emitter({ address, ca_file: path });
    expect(await made.emit(batch(1), going)).toMatchObject({
      kind: 'retry',
      reason: expect.stringMatching(/^tls:\/\/localhost:\d+: TLS: .* not trusted$/),
    });

    await writeFile(path, second.certificate);
    await made.reopen();
    expect(await made.emit(batch(1), going)).toEqual({ kind: 'delivered' });
    expect(await made.flush(going)).toEqual({ kind: 'delivered' });
    await expect.poll(() => bodies(receiver)).toEqual(['line 0']);

    expect(logged).toEqual([]);
    await rm(path);
    await made.reopen();
    expect(await made.emit(batch(1), going)).toEqual({ kind: 'delivered' });
    expect(logged).toMatchObject([{ msg: 'Cannot reload the certificates; the previous ones stay in use' }]);

    await writeFile(path, '');
    await made.reopen();
    await made.flush(going);
    expect(await made.emit(batch(1), going)).toMatchObject({ kind: 'retry' });
  });

  it('returns retry if the receiver rejects the client after the handshake', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate: cert, key } = await authority.issue({ name: 'graylog' });
    // With TLS 1.3 the client learns of its missing certificate only after its first write.
    const tls = { cert, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
    const receiver = await StreamReceiver.start({ tls });
    const { made } = await emitter({
      address: `tls://localhost:${receiver.port}`,
      ca: authority.certificate,
    });
    for (let i = 0; i < 5; i++) {
      const outcome = await made.emit(batch(1), going);
      const flushed = outcome.kind === 'delivered' ? await made.flush(going) : outcome;
      expect(flushed).toMatchObject({ kind: 'retry', rolledBack: true });
    }
  });

  it('rejects a certificate for another name', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate: cert, key } = await authority.issue({ name: 'graylog' });
    const receiver = await StreamReceiver.start({ tls: { cert, key } });
    const address = `tls://localhost:${receiver.port}`;
    const { made } = await emitter({ address, ca: authority.certificate, server_name: 'graylog.example' });
    expect(await made.emit(batch(1), going)).toMatchObject({
      reason: `${address}: TLS: the certificate is for another name`,
    });
  });

  it('does not start if the CA file is missing', async () => {
    await expect(emitter({ address: 'tls://x:1', ca_file: '/no/such/ca.pem' })).rejects.toThrow(
      '/no/such/ca.pem',
    );
  });
});

describe('over datagrams', () => {
  it('delivers every record, long ones in chunks', async () => {
    const receiver = await DatagramReceiver.start();
    const { made, counter } = await emitter({
      address: `udp://127.0.0.1:${receiver.port}`,
      chunk_size: 200,
      compression: 'none',
    });
    expect(await made.emit(batch(100, 'x'.repeat(500)), going)).toEqual({ kind: 'delivered' });
    expect(await made.flush(going)).toEqual({ kind: 'delivered' });
    await expect.poll(() => receiver.packets.length).toBeGreaterThanOrEqual(400);
    const decoder = new GelfDatagramDecoder();
    const messages = receiver.packets
      .map((packet) => decoder.receive(packet))
      .filter((each) => each !== undefined);
    expect(messages).toHaveLength(100);
    expect(await counter('messages')).toBe(100);
  });

  it('returns retry when the kernel reports that no receiver is listening', async () => {
    const { made } = await emitter({ address: `udp://127.0.0.1:${await freePort()}` });
    const outcomes: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      outcomes.push(await made.emit(batch(1), going));
      outcomes.push(await made.flush(going));
    }
    expect(outcomes).toContainEqual({
      kind: 'retry',
      reason: expect.stringContaining('nothing is listening'),
      rolledBack: true,
    });
  });

  it('returns retry for an unknown host name', async () => {
    const { made } = await emitter({ address: 'udp://no-such-host.invalid' });
    expect(await made.emit(batch(1), going)).toMatchObject({
      kind: 'retry',
      reason: expect.stringMatching(/unknown host name|name server/),
    });
  });
});

it('can be stopped before start, and twice', async () => {
  const { made } = await emitter({ address: 'tcp://127.0.0.1:1' });
  await made.stop(AbortSignal.abort());
  await made.stop(AbortSignal.abort());
  expect(await made.emit(batch(1), going)).toMatchObject({ kind: 'retry' });
});
