import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseSyslogConfiguration } from '../../../src/emitters/syslog/configuration.ts';
import { SyslogEmitter } from '../../../src/emitters/syslog/syslog-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { DatagramReceiver } from '../../support/datagram-receiver.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { StreamReceiver } from '../../support/stream-receiver.ts';
import { decodeOctetFrames, decodeRfc5424 } from '../../support/syslog-decoder.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const going = new AbortController().signal;

async function started(settings: Record<string, unknown>) {
  const [configured] = parseSyslogConfiguration(JSON.stringify(settings));
  if (configured === undefined) throw new Error('nothing configured');
  const metrics = new Registry();
  const environment = emitterEnvironment({ name: 'syslog', metrics, clock: systemClock });
  const emitter = new SyslogEmitter(configured.configuration, environment);
  onTestFinished(() => emitter.stop(AbortSignal.abort()));
  await emitter.start();
  const counter = async (name: string) =>
    (await metrics.getSingleMetric(`aggregator_emitter_syslog_${name}_total`)?.get())?.values[0]?.value ?? 0;
  return { emitter, counter };
}

async function deliver(settings: Record<string, unknown>, slice = recordBatch(lines(20))) {
  const { emitter, counter } = await started(settings);
  expect(await emitter.emit(batchOf([slice]), going)).toEqual({ kind: 'delivered' });
  expect(await emitter.flush(going)).toEqual({ kind: 'delivered' });
  return { counter };
}

const texts = (stream: Buffer) => decodeOctetFrames(stream).map((frame) => decodeRfc5424(frame).text);
const expected = Array.from({ length: 20 }, (_, index) => `line ${index}`);

describe('over a stream', () => {
  it('sends octet-counted RFC 5424 messages with the fields of the records', async () => {
    const receiver = await StreamReceiver.start();
    const slice = recordBatch(['{"level":"error","msg":"it broke"}\n'], {
      format: 'json',
      resource: new Map([
        ['host.name', 'web1'],
        ['service.name', 'shop'],
        ['process.pid', '42'],
      ]),
    });
    await deliver({ address: `tcp://127.0.0.1:${receiver.port}`, facility: 'local0', identify: true }, slice);
    await expect.poll(() => receiver.received.length).toBeGreaterThan(0);
    expect(decodeOctetFrames(receiver.received).map(String)).toEqual([
      `<131>1 2023-11-14T22:13:20.000000Z web1 shop 42 - [megacollector@32473 stream="${slice.stream}" position="0"] it broke`,
    ]);
  });

  it('ends messages with a line feed if configured', async () => {
    const receiver = await StreamReceiver.start();
    const address = `tcp://127.0.0.1:${receiver.port}`;
    await deliver(
      { address, framing: 'lf', message: 'rfc3164', app: 'cron' },
      recordBatch(['a\nb\n', 'c\n']),
    );
    await expect
      .poll(() => receiver.received.toString())
      .toBe('<14>Nov 14 22:13:20 test-host cron: a#012b\n<14>Nov 14 22:13:20 test-host cron: c\n');
  });

  it('sends the bytes of each record with raw, also if they are not UTF-8', async () => {
    const receiver = await StreamReceiver.start();
    const slice = recordBatch([Buffer.from('<34>\xff raw\r\n', 'latin1'), 'next']);
    await deliver({ address: `tcp://127.0.0.1:${receiver.port}`, message: 'raw' }, slice);
    await expect.poll(() => receiver.received.toString('latin1')).toBe('9 <34>\xff raw4 next');
  });

  it('delivers over a Unix socket', async () => {
    const path = join(await temporaryDirectory(), 's');
    const receiver = await StreamReceiver.start({ path });
    await deliver({ address: `unix:${path}` });
    await expect.poll(() => texts(receiver.received)).toEqual(expected);
  });

  it('delivers over TLS to a receiver whose authority is configured, and not to another', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate, key, caCertificate } = await authority.issue({ name: 'localhost' });
    const receiver = await StreamReceiver.start({ tls: { cert: certificate, key } });
    const address = `tls://localhost:${receiver.port}`;
    await deliver({ address, ca: caCertificate });
    await expect.poll(() => texts(receiver.received)).toEqual(expected);
    const { emitter } = await started({ address });
    const outcome = await emitter.emit(batchOf([recordBatch(lines(1))]), going);
    expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining('not trusted') });
  });

  it('returns retry while no receiver is listening', async () => {
    const port = await freePort();
    const { emitter, counter } = await started({ address: `tcp://127.0.0.1:${port}` });
    expect(await emitter.emit(batchOf([recordBatch(lines(3))]), going)).toEqual({
      kind: 'retry',
      reason: `tcp://127.0.0.1:${port}: nothing is listening (connection refused)`,
      rolledBack: true,
    });
    expect(await counter('failures')).toBe(1);
  });

  it.each(['close-after-each', 'reset', 'reset-at-once'] as const)(
    'delivers nothing that a receiver with %s may have lost',
    async (behaviour) => {
      const receiver = await StreamReceiver.start({ behaviour });
      const { emitter } = await started({ address: `tcp://127.0.0.1:${receiver.port}` });
      const outcome = await emitter.emit(batchOf([recordBatch(lines(3))]), going);
      const flushed = outcome.kind === 'delivered' ? await emitter.flush(going) : outcome;
      expect(flushed).toMatchObject({ kind: 'retry', rolledBack: true });
    },
  );
});

describe('over datagrams', () => {
  it('sends one message in each, truncated to the limit with a mark', async () => {
    const receiver = await DatagramReceiver.start();
    const slice = recordBatch(['short\n', `${'x'.repeat(20_000)}\n`, 'two\nlines\n']);
    const { counter } = await deliver({ address: `udp://127.0.0.1:${receiver.port}` }, slice);
    await expect.poll(() => receiver.packets.length).toBe(3);
    const [short, long, multi] = receiver.packets.map((packet) => decodeRfc5424(packet).text);
    expect([short, multi]).toEqual(['short', 'two\nlines']);
    expect(receiver.packets[1]?.length).toBe(8192);
    expect(long).toMatch(/^x+ \[truncated \d+ bytes\]$/);
    expect(await counter('cut_messages')).toBe(1);
    expect(await counter('messages')).toBe(3);
  });

  it('returns retry when the host reports that nothing is listening', async () => {
    const { emitter } = await started({ address: `udp://127.0.0.1:${await freePort()}` });
    let outcome: { readonly kind: string } = { kind: 'delivered' };
    for (let i = 0; i < 50 && outcome.kind === 'delivered'; i++) {
      outcome = await emitter.emit(batchOf([recordBatch(lines(2))]), going);
      if (outcome.kind === 'delivered') outcome = await emitter.flush(going);
    }
    expect(outcome.kind).toBe('retry');
  });
});
