import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GelfClient, type GelfClientOptions, type GelfMessage, type OutletEvent } from '../src/gelf.ts';
import { freePort } from '../testkit/free-ports.ts';
import { CertificateAuthority } from './support/certificate-authority.ts';
import { DatagramReceiver } from './support/datagram-receiver.ts';
import { decodeStream, GelfDatagramDecoder } from './support/gelf-decoder.ts';
import { StreamReceiver } from './support/stream-receiver.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

function client(options: GelfClientOptions): GelfClient {
  const made = new GelfClient({ host: 'test-host', ...options });
  onTestFinished(() => made.close(AbortSignal.abort()));
  return made;
}

const shortMessages = (messages: readonly Record<string, unknown>[]) =>
  messages.map(({ short_message }) => short_message);

describe('a client over datagrams', () => {
  it.each(['gzip', 'zlib', 'none'] as const)('brings short and long messages, %s', async (compression) => {
    const receiver = await DatagramReceiver.start();
    const log = client({ address: `udp://127.0.0.1:${receiver.port}`, compression });
    const long = Array.from({ length: 20_000 }, (_, i) => (i * 7_919) % 10_007).join(' ');
    for (let i = 0; i < 20; i++)
      expect(log.send({ shortMessage: `m${i}`, fullMessage: i % 5 === 0 ? long : '' })).toBe(true);
    expect(await log.flush()).toBe(true);
    const decoder = new GelfDatagramDecoder();
    let seen = 0;
    const messages: Record<string, unknown>[] = [];
    await expect
      .poll(() => {
        for (; seen < receiver.packets.length; seen++) {
          const message = decoder.receive(receiver.packets[seen] as Buffer);
          if (message !== undefined) messages.push(message);
        }
        return messages.length;
      })
      .toBe(20);
    expect(shortMessages(messages)).toEqual(Array.from({ length: 20 }, (_, i) => `m${i}`));
    expect(messages[5]?.full_message).toBe(long);
    expect(log.counters).toMatchObject({ sent: 20, cut: 0, dropped: { failed: 0 } });
  });

  it('cuts what 128 chunks cannot carry, and counts it', async () => {
    const receiver = await DatagramReceiver.start();
    const log = client({
      address: `udp://127.0.0.1:${receiver.port}`,
      compression: 'none',
      datagramBytes: 508,
    });
    log.send({ shortMessage: 'x', fullMessage: 'y'.repeat(200_000) });
    expect(await log.flush()).toBe(true);
    await expect.poll(() => receiver.packets.length).toBe(128);
    const decoder = new GelfDatagramDecoder();
    const [message] = receiver.packets.map((packet) => decoder.receive(packet)).filter(Boolean);
    expect(message?.full_message).toMatch(/\[cut: \d+ bytes missing\]$/);
    expect(log.counters).toMatchObject({ sent: 1, cut: 1 });
  });

  it('reports a receiver that is not listening, and never throws', async () => {
    const events: OutletEvent[] = [];
    const address = `udp://127.0.0.1:${await freePort()}`;
    const log = client({ address, onEvent: (event) => events.push(event) });
    await expect
      .poll(() => {
        log.send('into the void');
        return events;
      })
      .toMatchObject([{ kind: 'failed', address, reason: 'nothing is listening (connection refused)' }]);
  });
});

describe('a client over streams', () => {
  it.each([
    ['null', 0x00],
    ['newline', 0x0a],
  ] as const)('ends each message with a %s', async (delimiter, byte) => {
    const receiver = await StreamReceiver.start();
    const log = client({ address: `tcp://127.0.0.1:${receiver.port}`, delimiter });
    log.send('one line');
    log.send('two\nlines\0and a nul');
    await log.close();
    await expect.poll(() => decodeStream(receiver.received, byte).messages.length).toBe(2);
    const { messages, tail } = decodeStream(receiver.received, byte);
    expect(messages).toMatchObject([
      { short_message: 'one line', level: 6, host: 'test-host' },
      { short_message: 'two', full_message: 'two\nlines\0and a nul' },
    ]);
    expect(tail.length).toBe(0);
  });

  it('speaks TLS, and says why not', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate: cert, key } = await authority.issue({ name: 'graylog' });
    const receiver = await StreamReceiver.start({ tls: { cert, key } });
    const address = `tls://localhost:${receiver.port}`;
    const trusting = client({ address, tls: { ca: authority.certificate } });
    trusting.send('secret');
    expect(await trusting.flush(AbortSignal.timeout(10_000))).toBe(true);

    const events: OutletEvent[] = [];
    const wary = client({ address, onEvent: (event) => events.push(event) });
    wary.send('not sent');
    await expect
      .poll(() => events)
      .toMatchObject([{ kind: 'failed', reason: expect.stringMatching(/^TLS: .* not trusted$/) }]);
    await expect.poll(() => shortMessages(decodeStream(receiver.received, 0).messages)).toEqual(['secret']);
  });

  it('goes over a Unix socket, and into a file', async () => {
    const path = join(await temporaryDirectory(), 's');
    const receiver = await StreamReceiver.start({ path });
    const log = client({ address: `unix:${path}` });
    log.send('here');
    await log.close();
    await expect.poll(() => shortMessages(decodeStream(receiver.received, 0).messages)).toEqual(['here']);

    const file = client({ address: `file:${path}.log`, delimiter: 'newline' });
    file.send('there');
    await file.close();
    expect(shortMessages(decodeStream(await readFile(`${path}.log`), 10).messages)).toEqual(['there']);
  });

  it('lets a program wait instead of losing messages', async () => {
    const receiver = await StreamReceiver.start();
    const log = client({ address: `tcp://127.0.0.1:${receiver.port}`, maxQueuedBytes: 20_000 });
    for (let i = 0; i < 2_000; i++) {
      await log.ready();
      log.send(`message ${i}`);
    }
    await log.close();
    await expect.poll(() => decodeStream(receiver.received, 0).messages.length).toBe(2_000);
    expect(log.counters).toMatchObject({ sent: 2_000, dropped: { full: 0 } });
  });
});

describe('a client that is misused', () => {
  it('says what is wrong with its options', () => {
    expect(() => client({ address: 'http://x' })).toThrow(/^address: expected udp:/);
    expect(() => client({ address: 'udp://x', level: 9 })).toThrow(/^level: /);
    expect(() => client({ address: 'udp://x', datagramBytes: 12 })).toThrow(RangeError);
    expect(() => client({ address: 'tcp://x', maxMessageBytes: 100 })).toThrow(RangeError);
    expect(() => client({ address: `unixgram:/${'x'.repeat(200)}` })).toThrow(/^address: /);
  });

  it('does not throw for invalid messages', () => {
    const log = client({ address: 'tcp://127.0.0.1:1' });
    const trap = {
      shortMessage: 'x',
      get fields(): never {
        throw new Error('trap');
      },
    };
    for (const message of [undefined, null, 5, {}, trap]) {
      expect(log.send(message as unknown as GelfMessage)).toBe(false);
    }
    expect(log.send({ shortMessage: 'x', level: 'loud' as 'info' })).toBe(true);
    expect(log.counters).toMatchObject({ unsendable: 5, unknownLevels: 1 });
  });
});
