import tls, { type ConnectionOptions, connect, type SecureVersion } from 'node:tls';
import { Client, type StatusObject } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GrpcServer } from '../../../../src/aggregator/intake/grpc/grpc-server.ts';
import { INTAKE_LIMITS } from '../../../../src/aggregator/intake/grpc/intake-limits.ts';
import type { GrpcServerMethod } from '../../../../src/protocols/grpc/grpc-server-method.ts';
import { singleRequestMethod } from '../../../../src/protocols/grpc/single-request-method.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { clientTlsOptions, type TlsMaterial } from '../../../../src/runtime/tls.ts';
import { TlsServerCredentials } from '../../../../src/runtime/tls-server-credentials.ts';
import { CertificateAuthority } from '../../../support/certificate-authority.ts';
import { grpcClientCredentials } from '../../../support/grpc-client-credentials.ts';

const bytes = (value: Buffer) => value;

const echoMethod = singleRequestMethod((request, call) => {
  call.send(request);
  call.end();
  return undefined;
});

/** The call ends when the server or the client ends it. */
const endlessMethod: GrpcServerMethod = (call) => {
  call.send(Buffer.from('begun'));
  return { receive: () => {}, peerEnded: () => {}, closed: () => {} };
};

const METHODS = new Map([
  ['/test.Echo/Echo', echoMethod],
  ['/test.Echo/Endless', endlessMethod],
]);

async function serving(material: TlsMaterial | undefined) {
  const credentials = material && new TlsServerCredentials(material);
  const server = new GrpcServer({
    credentials,
    method: (path) => METHODS.get(path),
    limits: INTAKE_LIMITS,
    clock: systemClock,
    onClosed: () => {},
    onHandshakeFailed: () => {},
    onUnfinishedBytes: () => {},
  });
  const port = await server.listen('localhost:0');
  onTestFinished(() => server.close(AbortSignal.abort()));
  return { server, port, credentials };
}

/** Resolves with what came back. */
function echo(port: number, material: TlsMaterial | undefined): Promise<string> {
  const client = new Client(`localhost:${port}`, grpcClientCredentials(material));
  onTestFinished(() => client.close());
  return new Promise((resolve, reject) => {
    const deadline = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(
      '/test.Echo/Echo',
      bytes,
      bytes,
      Buffer.from('hello'),
      deadline,
      (error, value) => (error ? reject(error) : resolve(String(value))),
    );
  });
}

/** A call that has begun. Resolves with its status. */
async function endless(port: number, material: TlsMaterial | undefined) {
  const client = new Client(`localhost:${port}`, grpcClientCredentials(material));
  onTestFinished(() => client.close());
  const call = client.makeBidiStreamRequest('/test.Echo/Endless', bytes, bytes);
  call.on('error', () => {});
  const status = new Promise<StatusObject>((resolve) => call.once('status', resolve));
  await new Promise((resolve) => call.once('data', resolve));
  return { status };
}

/** What became of a TLS handshake: the protocol, or the error that ended it. */
function handshake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: 'localhost', ALPNProtocols: ['h2'], ...options });
    onTestFinished(() => void socket.destroy());
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(`refused: ${error.code}`));
    // TLS 1.3 tells of a missing certificate only after the client's side is done.
    socket.once('data', () => resolve(socket.getProtocol() ?? 'none'));
    socket.once('close', () => resolve('refused: closed'));
  });
}

/** As `--tls-min-v1.0` and a careless `--tls-cipher-list` would: what is refused now is refused by us. */
function allowOldTls(): void {
  const { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS } = tls;
  tls.DEFAULT_MIN_VERSION = 'TLSv1';
  tls.DEFAULT_CIPHERS = 'DEFAULT@SECLEVEL=0';
  onTestFinished(() => void Object.assign(tls, { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS }));
}

describe('a server that stops', () => {
  test.each([['in plain text'], ['with TLS']])('ends calls with the reason, %s', async (kind) => {
    const authority = kind === 'with TLS' ? await CertificateAuthority.create() : undefined;
    const { server, port } = await serving(await authority?.issue({ name: 'aggregator' }));
    const { status } = await endless(port, await authority?.issue({ name: 'collector' }));
    await server.close(AbortSignal.timeout(10_000));
    expect(await status).toMatchObject({ code: 14, details: 'shutting down' });
  });
});

describe('with TLS', () => {
  test('a client of the same authority is served', async () => {
    const authority = await CertificateAuthority.create();
    const { port } = await serving(await authority.issue({ name: 'aggregator' }));
    expect(await echo(port, await authority.issue({ name: 'collector' }))).toBe('hello');
  });

  test('accepts TLS 1.2 and 1.3 with a certificate', async () => {
    const authority = await CertificateAuthority.create();
    const { port } = await serving(await authority.issue({ name: 'aggregator' }));
    const client = clientTlsOptions(await authority.issue({ name: 'collector' }));
    for (const version of ['TLSv1.2', 'TLSv1.3'] satisfies SecureVersion[]) {
      expect(await handshake(port, { ...client, minVersion: version, maxVersion: version })).toBe(version);
    }
  });

  test.each(['TLSv1', 'TLSv1.1'] satisfies SecureVersion[])('%s is rejected', async (version) => {
    allowOldTls();
    const authority = await CertificateAuthority.create();
    const { port } = await serving(await authority.issue({ name: 'aggregator' }));
    const client = clientTlsOptions(await authority.issue({ name: 'collector' }));
    const old = { minVersion: version, maxVersion: version };
    expect(await handshake(port, { ...client, ...old })).toBe(
      'refused: ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    );
  });

  test('rejects a client without a certificate', async () => {
    const authority = await CertificateAuthority.create();
    const { port } = await serving(await authority.issue({ name: 'aggregator' }));
    expect(await handshake(port, { ca: authority.certificate })).toMatch(/^refused/);
  });

  test('rejects a client of another authority, and an expired certificate', async () => {
    const authority = await CertificateAuthority.create();
    const stranger = await (await CertificateAuthority.create('Another')).issue({ name: 'collector' });
    const { port } = await serving(await authority.issue({ name: 'aggregator' }));
    await expect(echo(port, { ...stranger, caCertificate: authority.certificate })).rejects.toThrow(
      'UNAVAILABLE',
    );
    await expect(echo(port, await authority.issue({ name: 'late', expired: true }))).rejects.toThrow(
      'UNAVAILABLE',
    );
  });

  test('a client does not talk to a server of another authority', async () => {
    const authority = await CertificateAuthority.create();
    const stranger = await (await CertificateAuthority.create('Another')).issue({ name: 'aggregator' });
    const { port } = await serving({ ...stranger, caCertificate: authority.certificate });
    await expect(echo(port, await authority.issue({ name: 'collector' }))).rejects.toThrow('UNAVAILABLE');
  });

  test('rejects plain text, and keeps serving other clients', async () => {
    const authority = await CertificateAuthority.create();
    const { port } = await serving(await authority.issue({ name: 'aggregator' }));
    await expect(echo(port, undefined)).rejects.toThrow('UNAVAILABLE');
    expect(await echo(port, await authority.issue({ name: 'collector' }))).toBe('hello');
  });

  test('certificates can be exchanged while the server runs', async () => {
    const before = await CertificateAuthority.create();
    const after = await CertificateAuthority.create('Successor');
    const { port, credentials } = await serving(await before.issue({ name: 'aggregator' }));
    credentials?.reload(await after.issue({ name: 'aggregator' }));
    expect(await echo(port, await after.issue({ name: 'collector' }))).toBe('hello');
    await expect(echo(port, await before.issue({ name: 'collector' }))).rejects.toThrow('UNAVAILABLE');
  });
});

test('without material both sides speak plain text', async () => {
  const { port } = await serving(undefined);
  expect(await echo(port, undefined)).toBe('hello');
});
