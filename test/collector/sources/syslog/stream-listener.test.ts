import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RECORD_OVERHEAD_BYTES } from '../../../../src/collector/journal/journal-writer.ts';
import { SYSLOG_EVENTS } from '../../../../src/collector/sources/syslog/events.ts';
import type { RecordChannel } from '../../../../src/collector/sources/syslog/record-channel.ts';
import { StreamListener } from '../../../../src/collector/sources/syslog/stream-listener.ts';
import { encodeRelpFrame } from '../../../../src/protocols/relp/frame-writer.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import type { TlsMaterial } from '../../../../src/runtime/tls.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { CertificateAuthority } from '../../../support/certificate-authority.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { listenersOf, openedSource, PATIENT } from './opened-source.ts';

const TLS = 'tls://127.0.0.1:0';

let authority: CertificateAuthority;
let server: TlsMaterial;
let client: TlsMaterial;

beforeEach(async () => {
  authority = await CertificateAuthority.create();
  server = await authority.issue({ name: 'server' });
  client = await authority.issue({ name: 'client.example' });
});

async function files() {
  const directory = await temporaryDirectory();
  const at = (name: string) => join(directory, name);
  const write = async ({ certificate, key, caCertificate }: TlsMaterial) => {
    await writeFile(at('key'), key);
    await writeFile(at('crt'), certificate);
    await writeFile(at('ca'), caCertificate);
  };
  await write(server);
  return { certificate_file: at('crt'), key_file: at('key'), ca_file: at('ca'), write };
}

function connected(port: number, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca: authority.certificate,
    servername: 'localhost',
    ...options,
  });
  socket.on('error', () => {});
  socket.resume();
  onTestFinished(() => void socket.destroy());
  return socket;
}

const identityOf = ({ certificate, key }: TlsMaterial) => ({ cert: certificate, key });

describe('a TLS listener', () => {
  it('receives from a client without a certificate when none is required', async () => {
    const { certificate_file, key_file } = await files();
    const { port, texts } = await openedSource([{ listen: TLS, certificate_file, key_file }]);
    connected(port(TLS)).end('<13>one\n8 <13>\ntwo');
    await vi.waitFor(() => expect(texts()).toEqual(['<13>one', '<13>\ntwo']), PATIENT);
  });

  it('has the subject of the client certificate in the attributes', async () => {
    const { write: _, ...tls } = await files();
    const { port, records } = await openedSource([{ listen: TLS, ...tls, client_certificate: 'required' }]);
    connected(port(TLS), identityOf(client)).end('<13>one\n');
    await vi.waitFor(() => expect(records()).toHaveLength(1), PATIENT);
    expect(records()[0]?.attributes.get('tls.client.subject')).toBe('CN=client.example');
  });

  it.each([
    ['without a certificate', {}, async () => ({})],
    [
      'of another authority',
      {},
      async () => identityOf(await (await CertificateAuthority.create('Other')).issue({ name: 'x' })),
    ],
    ['without a permitted name', { permitted_peers: ['*.example.com'] }, async () => identityOf(client)],
    [
      'without a permitted fingerprint',
      { permitted_peers: [`SHA256:${'00:'.repeat(31)}00`] },
      async () => identityOf(client),
    ],
  ])('rejects a client %s', async (_what, options, identity) => {
    const { write: _write, ...tls } = await files();
    const { port, texts, lines } = await openedSource([{ listen: TLS, ...tls, ...options }]);
    const socket = connected(port(TLS), await identity());
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write('<13>one\n');
    await closed;
    const msg = 'Cannot establish a TLS connection with a syslog sender';
    await vi.waitFor(() => expect(lines).toContainEqual(expect.objectContaining({ msg })), PATIENT);
    expect(texts()).toEqual([]);
  });

  it('accepts permitted names and fingerprints', async () => {
    const { write: _, ca_file, ...tls } = await files();
    const fingerprint = `SHA256:${new X509Certificate(client.certificate).fingerprint256}`;
    for (const options of [{ ca_file, permitted_peers: ['localhost'] }, { permitted_peers: [fingerprint] }]) {
      const { port, texts, close } = await openedSource([{ listen: TLS, ...tls, ...options }]);
      connected(port(TLS), identityOf(client)).end('<13>one\n');
      await vi.waitFor(() => expect(texts()).toEqual(['<13>one']), PATIENT);
      await close();
    }
  });

  it('uses a new certificate without a restart', async () => {
    const { write, ...tls } = await files();
    const { port, lines } = await openedSource([{ listen: TLS, ...tls, client_certificate: 'none' }]);
    await write(await authority.issue({ name: 'renewed' }));
    const msg = 'Loaded the new certificate of a syslog listener';
    await vi.waitFor(() => expect(lines).toContainEqual(expect.objectContaining({ msg })), PATIENT);
    const socket = connected(port(TLS));
    await once(socket, 'secureConnect');
    expect(socket.getPeerX509Certificate()?.subject).toBe('CN=renewed');
  });

  it('answers RELP messages over TLS, of permitted clients only', async () => {
    const { write: _, ...tls } = await files();
    const listen = 'relp+tls://127.0.0.1:0';
    const { port, records, lines } = await openedSource([{ listen, ...tls, permitted_peers: ['localhost'] }]);
    const frames = [
      encodeRelpFrame(1, 'open', 'relp_version=0\ncommands=syslog\n'),
      encodeRelpFrame(2, 'syslog', '<13>one'),
    ];
    const socket = connected(port(listen), identityOf(client));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.write(Buffer.concat(frames));
    await vi.waitFor(() => expect(received).toMatch(/200 OK\n[\s\S]*2 rsp 6 200 OK\n$/), PATIENT);
    await vi.waitFor(() => expect(records()).toHaveLength(1), PATIENT);
    expect(records()[0]?.attributes.get('tls.client.subject')).toBe('CN=client.example');
    const other = connected(port(listen));
    const closed = new Promise((resolve) => other.on('close', resolve));
    other.write(Buffer.concat(frames));
    await closed;
    expect(lines).toContainEqual(
      expect.objectContaining({ reason: 'the client has no certificate', listener: listen }),
    );
    expect(records()).toHaveLength(1);
  });

  it.each([
    ['<13>plain\n', 'bytes without TLS'],
    ['GET / HTTP/1.1\r\n\r\n', 'an HTTP request without TLS'],
  ])('names a peer that sends %j', async (bytes, found) => {
    const { certificate_file, key_file } = await files();
    const { port, lines, texts } = await openedSource([{ listen: TLS, certificate_file, key_file }]);
    const socket = connectPlain({ port: port(TLS), host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write(bytes);
    await vi.waitFor(() => {
      const warnings = lines.filter((line) => line['level'] === 40);
      expect(warnings.map((line) => line['msg'])).toEqual([expect.stringContaining(found)]);
    }, PATIENT);
    expect(texts()).toEqual([]);
  });
});

/** Has no room, and notes the sizes of the reads that wait for it. */
function fullChannel() {
  const waitingBytes: number[] = [];
  const channel: RecordChannel = {
    flushed: 0,
    append: () => 'full',
    appendLine: () => 'full',
    drop: () => {},
    hasRoom: () => false,
    whenRoom: (bytes, signal) => {
      waitingBytes.push(bytes / NEEDED_OF_A_BYTE);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(false)));
    },
    flushSoon: () => {},
    flushHeld: () => {},
    add: () => {},
    remove: () => {},
  };
  return { channel, waitingBytes };
}

/** The shortest message is one byte with its LF. */
const NEEDED_OF_A_BYTE = 1 + RECORD_OVERHEAD_BYTES / 2;
const KIB = 1024;

describe('a listener for streams', () => {
  it('holds at most 64 KiB of most connections while the journal has no room', async () => {
    const connections = 150;
    const path = join(await temporaryDirectory(), 'socket');
    const [configuration] = listenersOf([{ listen: `unix://${path}` }]);
    if (configuration === undefined) throw new Error('not configured');
    const { channel, waitingBytes } = fullChannel();
    const events = SYSLOG_EVENTS.open({
      logger: capturedLogger().logger,
      metrics: new Registry(),
      clock: systemClock,
    });
    const listener = new StreamListener({
      ...{ configuration, channel, events, listener: 'unix', clock: systemClock },
    });
    await listener.open();
    onTestFinished(() => listener.close(AbortSignal.abort()));
    const message = `<13>${'x'.repeat(KIB)}\n`.repeat(KIB);
    for (let count = 0; count < connections; count++) {
      const socket = connectPlain({ path });
      socket.on('error', () => {});
      onTestFinished(() => void socket.destroy());
      socket.write(message);
    }
    await vi.waitFor(() => expect(waitingBytes).toHaveLength(connections), PATIENT);
    const large = waitingBytes.filter((bytes) => bytes > 64 * KIB);
    expect(large.length).toBeLessThanOrEqual(32);
  });
});
