import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SocketTransport } from '../../src/transport/socket-transport.ts';
import type { Connection, StreamTransport, TransportFailure } from '../../src/transport/transport.ts';
import { freePort } from '../../testkit/free-ports.ts';
import { CertificateAuthority } from '../support/certificate-authority.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { StreamReceiver } from '../support/stream-receiver.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function opened(transport: StreamTransport): Promise<Connection> {
  const opening = await transport.open();
  if (opening.kind === 'failed') throw new Error(opening.failure.reason);
  return opening.connection;
}

async function failureOfOpening(transport: StreamTransport): Promise<TransportFailure> {
  const opening = await transport.open();
  if (opening.kind === 'failed') return opening.failure;
  opening.connection.destroy();
  throw new Error('it opened');
}

async function tlsReceiver() {
  const authority = await CertificateAuthority.create();
  const { certificate: cert, key } = await authority.issue({ name: 'receiver' });
  const receiver = await StreamReceiver.start({ tls: { cert, key }, host: '0.0.0.0' });
  return { authority, receiver, ca: authority.certificate };
}

const inTime = () => AbortSignal.timeout(5_000);

describe('a connection', () => {
  it('delivers the written bytes, and ends in order', async () => {
    const receiver = await StreamReceiver.start();
    const connection = await opened(SocketTransport.tcp('127.0.0.1', receiver.port));
    expect(await connection.write(Buffer.from('one '))).toBeUndefined();
    expect(await connection.write(Buffer.from('two'))).toBeUndefined();
    await connection.close(inTime());
    await expect.poll(() => receiver.received.toString()).toBe('one two');
    expect(connection.ended).toMatchObject({ orderly: true });
  });

  it('goes over a Unix socket', async () => {
    const path = join(await temporaryDirectory(), 's');
    const receiver = await StreamReceiver.start({ path });
    const connection = await opened(SocketTransport.unix(path));
    await connection.write(Buffer.from('here'));
    await connection.close(inTime());
    await expect.poll(() => receiver.received.toString()).toBe('here');
  });

  it('ends as soon as the receiver closes it', async () => {
    const receiver = await StreamReceiver.start({ behaviour: 'close-after-each' });
    const connection = await opened(SocketTransport.tcp('127.0.0.1', receiver.port));
    await connection.write(Buffer.from('x'));
    expect(await connection.whenEnded).toEqual({
      reason: 'the receiver closed the connection',
      orderly: true,
    });
    expect(await connection.write(Buffer.from('y'))).toMatchObject({
      reason: 'the receiver closed the connection',
    });
  });

  it('ends when the receiver closes only its half', async () => {
    const receiver = await StreamReceiver.start({ behaviour: 'half-open' });
    const connection = await opened(SocketTransport.tcp('127.0.0.1', receiver.port));
    expect(await connection.whenEnded).toMatchObject({ orderly: true });
  });

  it('ends when the receiver closes its half while it accepts nothing', async () => {
    const receiver = await StreamReceiver.start({ behaviour: 'read-nothing' });
    const connection = await opened(SocketTransport.tcp('127.0.0.1', receiver.port));
    const writing = connection.write(Buffer.alloc(64 * 1024 * 1024));
    await expect.poll(() => receiver.sockets.length).toBe(1);
    receiver.sockets[0]?.end();
    expect(await writing).toMatchObject({ reason: 'the receiver closed the connection' });
  });

  it('ends when the receiver resets it', async () => {
    const receiver = await StreamReceiver.start({ behaviour: 'reset' });
    const connection = await opened(SocketTransport.tcp('127.0.0.1', receiver.port));
    await connection.write(Buffer.from('x'));
    expect(await connection.whenEnded).toMatchObject({ code: 'ECONNRESET', orderly: false });
  });

  it('ends with a timeout when the receiver accepts nothing', async () => {
    const clock = new FakeClock();
    const receiver = await StreamReceiver.start({ behaviour: 'read-nothing' });
    const connection = await opened(
      SocketTransport.tcp('127.0.0.1', receiver.port, { clock, writeTimeoutMs: 3_000 }),
    );
    // More than the buffers of both kernels hold.
    const writing = connection.write(Buffer.alloc(64 * 1024 * 1024));
    await clock.advance(2_999);
    expect(connection.ended).toBeUndefined();
    await clock.advance(1);
    expect(await writing).toMatchObject({ reason: 'the receiver accepted nothing within 3000 ms' });
    expect(connection.ended).toMatchObject({ orderly: false });
  });

  it('passes on received bytes, or discards them', async () => {
    const receiver = await StreamReceiver.start();
    const heard: string[] = [];
    const opening = await SocketTransport.tcp('127.0.0.1', receiver.port).open({
      onData: (bytes) => heard.push(String(bytes)),
    });
    if (opening.kind === 'failed') throw new Error(opening.failure.reason);
    await opening.connection.write(Buffer.from('x'));
    await expect.poll(() => receiver.sockets.length).toBe(1);
    receiver.sockets[0]?.write('200 OK');
    await expect.poll(() => heard).toEqual(['200 OK']);
    opening.connection.destroy();

    const talker = await StreamReceiver.start();
    const deaf = await opened(SocketTransport.tcp('127.0.0.1', talker.port));
    await expect.poll(() => talker.sockets.length).toBe(1);
    // Without a reader this would never be taken whole.
    await new Promise((resolve) => talker.sockets[0]?.write(Buffer.alloc(32 * 1024 * 1024), resolve));
    expect(deaf.ended).toBeUndefined();
    deaf.destroy();
  });
});

describe('a failed opening reports the reason', () => {
  it('when nothing is listening', async () => {
    const transport = SocketTransport.tcp('127.0.0.1', await freePort());
    expect(await failureOfOpening(transport)).toEqual({
      reason: 'nothing is listening (connection refused)',
      code: 'ECONNREFUSED',
    });
  });

  it('when the name is unknown', async () => {
    const transport = SocketTransport.tcp('no-such-host.invalid', 1);
    expect((await failureOfOpening(transport)).reason).toMatch(/unknown host name|name server/);
  });

  it('when the socket does not exist', async () => {
    const transport = SocketTransport.unix(join(await temporaryDirectory(), 'missing'));
    expect(await failureOfOpening(transport)).toMatchObject({ code: 'ENOENT' });
  });

  it('when the handshake times out', async () => {
    const clock = new FakeClock();
    const receiver = await StreamReceiver.start({ behaviour: 'read-nothing' });
    const options = { clock, connectTimeoutMs: 2_000 };
    const failing = failureOfOpening(SocketTransport.tls('127.0.0.1', receiver.port, {}, options));
    await expect.poll(() => receiver.sockets.length).toBe(1);
    await clock.advance(2_000);
    expect(await failing).toEqual({ reason: 'no connection within 2000 ms', code: 'ETIMEDOUT' });
  });

  it('when it is aborted', async () => {
    const receiver = await StreamReceiver.start({ behaviour: 'read-nothing' });
    const giveUp = new AbortController();
    const opening = SocketTransport.tls('127.0.0.1', receiver.port, {}).open({ signal: giveUp.signal });
    giveUp.abort();
    expect(await opening).toMatchObject({ kind: 'failed', failure: { reason: 'aborted' } });
  });
});

describe('TLS', () => {
  it('connects to a receiver with a trusted certificate', async () => {
    const { receiver, ca } = await tlsReceiver();
    for (const host of ['127.0.0.1', 'localhost']) {
      const connection = await opened(SocketTransport.tls(host, receiver.port, { ca }));
      expect(await connection.write(Buffer.from(`${host} `))).toBeUndefined();
      await connection.close(inTime());
    }
    await expect.poll(() => receiver.received.toString()).toBe('127.0.0.1 localhost ');
  });

  it('sends its certificate on request', async () => {
    const authority = await CertificateAuthority.create();
    const server = await authority.issue({ name: 'receiver' });
    const client = await authority.issue({ name: 'sender' });
    const receiver = await StreamReceiver.start({
      tls: { cert: server.certificate, key: server.key, ca: authority.certificate, requestCert: true },
    });
    const tls = { ca: authority.certificate, certificate: client.certificate, key: client.key };
    const connection = await opened(SocketTransport.tls('localhost', receiver.port, tls));
    expect(await connection.write(Buffer.from('known'))).toBeUndefined();
    await connection.close(inTime());
    await expect.poll(() => receiver.received.toString()).toBe('known');
  });

  it('rejects a certificate for another name', async () => {
    const { receiver, ca } = await tlsReceiver();
    const byName = SocketTransport.tls('127.0.0.1', receiver.port, { ca, serverName: 'logs.example' });
    expect((await failureOfOpening(byName)).reason).toBe('TLS: the certificate is for another name');
    const byAddress = SocketTransport.tls('127.0.0.2', receiver.port, { ca });
    expect((await failureOfOpening(byAddress)).reason).toBe('TLS: the certificate is for another name');
  });

  it('rejects an unknown authority, an expired certificate, and plain text', async () => {
    const { authority, receiver, ca } = await tlsReceiver();
    const unknown = SocketTransport.tls('localhost', receiver.port, {});
    expect((await failureOfOpening(unknown)).reason).toMatch(/^TLS: .* not trusted$/);

    const old = await authority.issue({ name: 'old', expired: true });
    const expired = await StreamReceiver.start({ tls: { cert: old.certificate, key: old.key } });
    const failure = await failureOfOpening(SocketTransport.tls('localhost', expired.port, { ca }));
    expect(failure.reason).toBe('TLS: the certificate has expired');

    const plain = await StreamReceiver.start({ behaviour: 'half-open' });
    plain.behaviour = 'read';
    const talker = SocketTransport.tls('127.0.0.1', plain.port, { ca }).open();
    await expect.poll(() => plain.sockets.length).toBe(1);
    plain.sockets[0]?.write('220 hello, I speak plainly\r\n');
    expect(await talker).toMatchObject({ failure: { reason: 'TLS: the receiver does not speak TLS' } });
  });

  it('reports an invalid own certificate instead of throwing', async () => {
    const transport = SocketTransport.tls('localhost', 1, { certificate: 'nonsense', key: 'nonsense' });
    expect((await failureOfOpening(transport)).reason).toBeTypeOf('string');
  });
});
