import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import type { TlsMaterial } from '../../../src/runtime/tls.ts';
import { TlsServerCredentials } from '../../../src/runtime/tls-server-credentials.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { MemoryStream } from '../../support/memory-stream.ts';
import { startIntake, startPublisher } from '../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

async function tlsIntake() {
  const authority = await CertificateAuthority.create();
  const server = await authority.issue({ name: 'aggregator' });
  const running = await startIntake({ credentials: new TlsServerCredentials(server) });
  return { authority, server, ...running, address: `localhost:${running.intake.port}` };
}

/** A publisher with these credentials never gets a byte accepted. */
async function isTurnedAway(
  address: string,
  material: TlsMaterial | undefined,
  store: MemoryStore,
): Promise<void> {
  const { publisher, lines } = await startPublisher([address], {
    tls: material,
  });
  const stream = new MemoryStream().append('secret\n');
  publisher.open(stream);
  await until(() =>
    expect(lines.some(({ msg }) => msg.startsWith('Cannot reach the aggregator'))).toBe(true),
  );
  expect(stream.accepted).toBe(0);
  expect(store.batches).toHaveLength(0);
}

/** Resolves with how the handshake (and the first read behind it, where TLS 1.3 tells of a bad certificate) ended. */
async function handshake(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ALPNProtocols: ['h2'],
    ...options,
  });
  return await Promise.race([
    once(socket, 'data').then(() => 'served'),
    new Promise<string>((resolve) => {
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.on('close', () => resolve('closed'));
    }),
  ]).finally(() => socket.destroy());
}

describe('TLS', () => {
  it('takes a collector with a certificate of the authority, and knows it by its subject', async () => {
    const { authority, address, lines } = await tlsIntake();
    const client = await authority.issue({ name: 'collector-1' });
    const { publisher } = await startPublisher([address], { tls: client });
    const stream = new MemoryStream().append('hello\n');
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(6));
    expect(lines.some(({ tlsSubject }) => String(tlsSubject).includes('CN=collector-1'))).toBe(true);
  });

  it('rejects a certificate of another authority', async () => {
    const { authority, address, store } = await tlsIntake();
    const other = await CertificateAuthority.create('Another Authority');
    const foreign = await other.issue({ name: 'collector-1' });
    // It trusts our server, so that only its own certificate can be the reason.
    await isTurnedAway(address, { ...foreign, caCertificate: authority.certificate }, store);
  });

  it('rejects an expired certificate', async () => {
    const { authority, address, store } = await tlsIntake();
    await isTurnedAway(address, await authority.issue({ name: 'late', expired: true }), store);
  });

  it('rejects plain text', async () => {
    const { address, store } = await tlsIntake();
    await isTurnedAway(address, undefined, store);
  });

  it('rejects a client without a certificate', async () => {
    const { authority, address, store } = await tlsIntake();
    const { publisher, lines } = await startPublisher([address], {
      tls: { certificate: '', key: '', caCertificate: authority.certificate },
    });
    const stream = new MemoryStream().append('secret\n');
    publisher.open(stream);
    await until(() =>
      expect(lines.some(({ msg }) => msg.startsWith('Cannot reach the aggregator'))).toBe(true),
    );
    expect(store.batches).toHaveLength(0);
  });

  it('logs once a minute which client it rejects and why, and counts all of them', async () => {
    const { authority, intake, lines, metrics } = await tlsIntake();
    const told = () => lines.filter(({ msg }) => msg === 'Rejected a client that failed the TLS handshake');
    for (let attempt = 1; attempt <= 3; attempt++) {
      await handshake(intake.port, { ca: authority.certificate });
      await until(async () =>
        expect(await metrics.getSingleMetricAsString('aggregator_intake_failed_handshakes_total')).toContain(
          `_total ${attempt}`,
        ),
      );
    }
    expect(told()).toEqual([
      expect.objectContaining({
        level: 40,
        peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        reason: 'peer did not return a certificate',
      }),
    ]);
  });

  it.each([
    ['of another authority', 'Another Authority', false, /^certificate not accepted: [A-Z_]+$/],
    ['that has expired', undefined, true, /^certificate not accepted: CERT_HAS_EXPIRED$/],
  ])('logs the reason for a certificate %s', async (_, otherName, expired, reason) => {
    const { authority, intake, lines } = await tlsIntake();
    const issuer = otherName === undefined ? authority : await CertificateAuthority.create(otherName);
    const { certificate: cert, key } = await issuer.issue({ name: 'collector', expired });
    await handshake(intake.port, { cert, key, ca: authority.certificate });
    await until(() =>
      expect(lines).toContainEqual(
        expect.objectContaining({
          msg: 'Rejected a client that failed the TLS handshake',
          reason: expect.stringMatching(reason),
        }),
      ),
    );
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('rejects %s', async (version) => {
    const { authority, intake } = await tlsIntake();
    const { certificate: cert, key } = await authority.issue({ name: 'old' });
    const options: ConnectionOptions = {
      cert,
      key,
      ca: authority.certificate,
      ciphers: 'DEFAULT@SECLEVEL=0',
    };
    const now = await handshake(intake.port, { ...options, minVersion: 'TLSv1.2' });
    expect(now).toBe('served');
    const old = await handshake(intake.port, { ...options, minVersion: version, maxVersion: version });
    expect(old).not.toBe('served');
  });

  it('is not fooled by a server of another authority', async () => {
    const { address, store } = await tlsIntake();
    const other = await CertificateAuthority.create('Another Authority');
    await isTurnedAway(address, await other.issue({ name: 'collector' }), store);
  });

  it('keeps a stream to the subject that opened it', async () => {
    const { authority, address, store } = await tlsIntake();
    const collectorId = Buffer.alloc(16, 3);
    const stream = new MemoryStream().append('mine\n');
    const first = await startPublisher([address], {
      tls: await authority.issue({ name: 'owner' }),
      collectorId,
    });
    first.publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(5));
    await first.publisher.stop(AbortSignal.timeout(2_000));

    stream.append('not mine\n');
    const second = await startPublisher([address], {
      tls: await authority.issue({ name: 'thief' }),
      collectorId,
    });
    second.publisher.open(stream);
    await until(() => expect(stream.refusals).toHaveLength(1));
    expect(store.bytesOf(stream.id).toString()).toBe('mine\n');
  });

  it('does not let one certificate end the call of another by its collector id', async () => {
    const { authority, address } = await tlsIntake();
    const collectorId = Buffer.alloc(16, 4);
    const issue = (name: string) => authority.issue({ name });
    const owner = await startPublisher([address], { tls: await issue('owner'), collectorId });
    await until(() => expect(owner.publisher.connectedTo).toBe(address));
    const thief = await startPublisher([address], { tls: await issue('thief'), collectorId });
    await until(() =>
      expect(thief.lines.some(({ reason }) => String(reason).includes('another certificate'))).toBe(true),
    );
    expect(owner.publisher.connectedTo).toBe(address);
  });

  it('takes new certificates without a restart', async () => {
    const { authority, server } = await tlsIntake();
    const renewing = new TlsServerCredentials(server);
    const { intake } = await startIntake({ credentials: renewing });
    const next = await CertificateAuthority.create('Next Authority');
    renewing.reload(await next.issue({ name: 'aggregator' }));
    const { publisher } = await startPublisher([`localhost:${intake.port}`], {
      tls: await next.issue({ name: 'collector' }),
    });
    const stream = new MemoryStream().append('renewed\n');
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(8));
    expect(authority.certificate).not.toBe(next.certificate);
  });

  it('is off by default: a client without certificates is served in plain text', async () => {
    const { address } = await startIntake();
    const { publisher } = await startPublisher([address]);
    const stream = new MemoryStream().append('plain\n');
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(6));
  });
});
