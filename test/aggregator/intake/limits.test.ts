import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Client, credentials, status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { IntakeLimits } from '../../../src/aggregator/intake/grpc/intake-limits.ts';
import type { PublishLimits } from '../../../src/aggregator/intake/publish/publish-calls.ts';
import { decodeResponse, encodeRequest } from '../../../src/records/publish-codec.ts';
import { mintStreamId, streamIdToBytes } from '../../../src/records/stream-id.ts';
import { TlsServerCredentials } from '../../../src/runtime/tls-server-credentials.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { grpcClientCredentials } from '../../support/grpc-client-credentials.ts';
import { MemoryStream } from '../../support/memory-stream.ts';
import { RawPublishClient } from '../../support/raw-publish-client.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { callsOf, startIntake, startPublisher } from '../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 15_000, interval: 10 });
const MIB = 1024 * 1024;

const limited = (limits: Partial<IntakeLimits & PublishLimits>) => startIntake({ limits });

async function othersAreUnharmed(address: string): Promise<void> {
  const { publisher } = await startPublisher([address]);
  const stream = new MemoryStream().append('honest\n');
  publisher.open(stream);
  await until(() => expect(stream.accepted).toBe(7));
}

function session(address: string): ClientHttp2Session {
  const opened = connectHttp2(`http://${address}`);
  opened.on('error', () => {});
  onTestFinished(() => opened.destroy());
  return opened;
}

/** A call that sends the beginning of a message and stops. Resolves with the code that ends it. */
function beginMessage(
  client: ClientHttp2Session,
  messageBytes: number,
  sentBytes: number,
  path = '/megacollector.v1.Aggregator/Publish',
): Promise<number> {
  const call = client.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.on('error', () => {});
  const head = Buffer.alloc(5);
  head.writeUInt32BE(messageBytes, 1);
  call.write(Buffer.concat([head, Buffer.alloc(sentBytes)]));
  return new Promise((resolve) => call.on('close', () => resolve(call.rstCode)));
}

async function unixConnection(path: string): Promise<Socket> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function plainConnection(address: string): Promise<Socket> {
  const [host = '', port] = address.split(':');
  const socket = connect(Number(port), host);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.on('close', () => resolve()));

async function gauge(metrics: Awaited<ReturnType<typeof startIntake>>['metrics'], name: string) {
  const text = await metrics.getSingleMetricAsString(name);
  return Number(/ (\d+)$/m.exec(text)?.[1]);
}

describe('messages that are never complete', () => {
  it('are bounded over all connections; the calls of the peer that has most of them end', async () => {
    const { address, metrics, lines } = await limited({ unfinishedBytes: 8 * MIB });
    let ended = 0;
    for (let i = 0; i < 10; i++) {
      const client = session(address);
      for (let j = 0; j < 2; j++) void beginMessage(client, 6 * MIB - 1, 5 * MIB).then(() => ended++);
    }
    await until(() => expect(ended).toBeGreaterThanOrEqual(18));
    expect(await gauge(metrics, 'aggregator_intake_unfinished_bytes')).toBeLessThanOrEqual(8 * MIB);
    expect(lines.filter(({ msg }) => msg === 'Closed a connection')).toHaveLength(1);
    await othersAreUnharmed(address);
  });

  it('are counted no more when their call is over', async () => {
    const { address, metrics } = await limited({});
    const client = session(address);
    const call = beginMessage(client, 2 * MIB, MIB);
    await until(async () => expect(await gauge(metrics, 'aggregator_intake_unfinished_bytes')).toBe(MIB + 5));
    client.destroy();
    await call;
    await until(async () => expect(await gauge(metrics, 'aggregator_intake_unfinished_bytes')).toBe(0));
  });

  it('end their call after a minute', async () => {
    const clock = new FakeClock();
    const { address, metrics, lines } = await startIntake({ clock });
    const client = new RawPublishClient(address).read().hello();
    await until(() => expect(client.responses).toHaveLength(1));
    const end = beginMessage(session(address), 4_000, 1_000, '/grpc.health.v1.Health/Watch');
    await until(async () => expect(await gauge(metrics, 'aggregator_intake_unfinished_bytes')).toBe(1_005));
    await clock.advance(65_000);
    await end;
    expect(await gauge(metrics, 'aggregator_intake_unfinished_bytes')).toBe(0);
    expect(lines.map(({ reason }) => reason)).toContain('a message was not complete in time');
    expect(await callsOf(metrics)).toBe(1);
  });
});

describe('a call', () => {
  it('without a hello ends after ten seconds', async () => {
    const clock = new FakeClock();
    const { address, lines } = await startIntake({ clock });
    const client = new RawPublishClient(address).read();
    client.stream.write(Buffer.alloc(0));
    const silent = session(address).request({
      ':method': 'POST',
      ':path': '/megacollector.v1.Aggregator/Publish',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    silent.on('error', () => {});
    let trailers: unknown;
    silent.on('response', (headers) => {
      trailers = headers['grpc-status'];
    });
    await until(() => expect(lines.filter(({ msg }) => msg === 'A collector has connected')).toHaveLength(2));
    await clock.advance(10_000);
    await until(() => expect(Number(trailers)).toBe(status.DEADLINE_EXCEEDED));
  });

  it('with a hello stays', async () => {
    const clock = new FakeClock();
    const { address, metrics } = await startIntake({ clock });
    const client = new RawPublishClient(address).read().hello();
    await until(() => expect(client.responses).toHaveLength(1));
    await clock.advance(60_000);
    expect(await callsOf(metrics)).toBe(1);
  });

  it('beyond four on one connection waits until one of them ends', async () => {
    const { address } = await limited({});
    const channel = new Client(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    onTestFinished(() => channel.close());
    let welcomed = 0;
    const calls = Array.from({ length: 6 }, (_, i) => {
      const path = '/megacollector.v1.Aggregator/Publish';
      const call = channel.makeBidiStreamRequest(path, (bytes: Buffer) => bytes, decodeResponse);
      call.on('error', () => {});
      call.on('data', () => welcomed++);
      const value = {
        collectorId: Buffer.alloc(16, i),
        instance: 1n,
        protocolVersion: 1,
        software: '',
        host: '',
      };
      call.write(encodeRequest({ message: { $case: 'hello', value } }));
      return call;
    });
    await until(() => expect(welcomed).toBe(4));
    await othersAreUnharmed(address);
    expect(welcomed).toBe(4);
    calls[0]?.cancel();
    await until(() => expect(welcomed).toBe(5));
    for (const call of calls) call.cancel();
  });
});

describe('streams that are opened without end', () => {
  it('are refused beyond the limit over all calls; those of a call that ends make room', async () => {
    const { address } = await limited({ openStreams: 100 });
    const openings = (client: RawPublishClient) =>
      client.responses.flatMap((each) => (each.$case === 'streamOpened' ? [each.value] : []));
    const openMany = async (id: number, count: number) => {
      const client = new RawPublishClient(address).read().hello(Buffer.alloc(16, id));
      for (let i = 0; i < count; i++)
        client.send({
          $case: 'openStream',
          value: { stream: streamIdToBytes(mintStreamId()), accepted: 0n },
        });
      await until(() => expect(openings(client)).toHaveLength(count));
      return { client, refused: openings(client).filter(({ refusal }) => refusal !== '').length };
    };
    const first = await openMany(1, 80);
    expect(first.refused).toBe(0);
    expect((await openMany(2, 80)).refused).toBe(60);
    first.client.stream.cancel();
    await first.client.status;
    await until(async () => expect((await openMany(3, 80)).refused).toBe(0));
  });
});

describe('connections', () => {
  it('of one address beyond the limit are closed at once; one that ends makes room', async () => {
    const { address, lines } = await limited({ connectionsPerAddress: 3 });
    const three = await Promise.all(Array.from({ length: 3 }, () => plainConnection(address)));
    await closed(await plainConnection(address));
    await closed(await plainConnection(address));
    expect(lines.filter(({ msg }) => msg === 'Closed a connection')).toMatchObject([
      { reason: 'the limit of 3 connections from one address' },
    ]);
    for (const socket of three) socket.destroy();
    await othersAreUnharmed(address);
  });

  it('beyond the limit of all are closed at once', async () => {
    const { address } = await limited({ connections: 2 });
    await plainConnection(address);
    await plainConnection(address);
    await closed(await plainConnection(address));
  });

  it('with one certificate beyond the limit are closed after the handshake', async () => {
    const authority = await CertificateAuthority.create();
    const server = await authority.issue({ name: 'aggregator' });
    const { intake } = await startIntake({
      credentials: new TlsServerCredentials(server),
      limits: { connectionsPerCertificate: 1 },
    });
    const address = `localhost:${intake.port}`;
    const anna = grpcClientCredentials(await authority.issue({ name: 'anna' }));
    const first = new RawPublishClient(address, anna).read().hello();
    await until(() => expect(first.responses).toHaveLength(1));
    const { code } = await new RawPublishClient(address, anna).read().hello(Buffer.alloc(16, 2)).status;
    expect(code).toBe(status.UNAVAILABLE);
    const other = grpcClientCredentials(await authority.issue({ name: 'berta' }));
    const berta = new RawPublishClient(address, other).read().hello(Buffer.alloc(16, 3));
    await until(() => expect(berta.responses).toHaveLength(1));
  });

  it('that are silent before TLS are closed after ten seconds', async () => {
    const authority = await CertificateAuthority.create();
    const server = await authority.issue({ name: 'aggregator' });
    const clock = new FakeClock();
    const { intake, lines, metrics } = await startIntake({
      credentials: new TlsServerCredentials(server),
      clock,
    });
    const anna = grpcClientCredentials(await authority.issue({ name: 'anna' }));
    const client = new RawPublishClient(`localhost:${intake.port}`, anna).read().hello();
    await until(() => expect(client.responses).toHaveLength(1));
    const silent = await plainConnection(`127.0.0.1:${intake.port}`);
    // The server has the connection when it has answered one that came later.
    const later = new RawPublishClient(`localhost:${intake.port}`, anna).read().hello(Buffer.alloc(16, 2));
    await until(() => expect(later.responses).toHaveLength(1));
    const end = closed(silent);
    await clock.advance(10_000);
    await end;
    expect(await callsOf(metrics)).toBe(2);
    expect(lines.filter(({ reason }) => reason === 'no TLS handshake within 10 s')).toHaveLength(1);
  });

  it('over a Unix socket have a deadline each for their TLS handshake', async () => {
    const authority = await CertificateAuthority.create();
    const server = await authority.issue({ name: 'aggregator' });
    const path = join(await temporaryDirectory(), 'socket');
    const clock = new FakeClock();
    const credentials = new TlsServerCredentials(server);
    const { lines } = await startIntake({ credentials, clock, address: `unix:${path}` });
    const { certificate: cert, key, caCertificate: ca } = await authority.issue({ name: 'anna' });
    const connected = await unixConnection(path);
    const silent = await unixConnection(path);
    const tls = connectTls({
      ...{ socket: connected, cert, key, ca, servername: 'localhost', ALPNProtocols: ['h2'] },
    });
    onTestFinished(() => void tls.destroy());
    tls.on('error', () => {});
    await once(tls, 'data');
    tls.resume();
    const end = closed(silent);
    await clock.advance(10_000);
    await end;
    expect(lines.filter(({ reason }) => reason === 'no TLS handshake within 10 s')).toHaveLength(1);
    expect(tls.destroyed).toBe(false);
  });
});
