import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FLAG, FRAME, PREFACE } from '../../../src/protocols/http2/frame.ts';
import type { HeaderList } from '../../../src/protocols/http2/header-list.ts';
import { HpackEncoder } from '../../../src/protocols/http2/hpack-encoder.ts';
import type { Http2Connection } from '../../../src/protocols/http2/http2-connection.ts';
import type { ConnectionEnd } from '../../../src/protocols/http2/http2-options.ts';
import type { Http2Stream } from '../../../src/protocols/http2/http2-stream.ts';
import type { StreamEnd, StreamReceiver } from '../../../src/protocols/http2/stream-receiver.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { acceptHttp2 } from '../../../src/transport/http2/accept-http2.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { frame, REQUEST } from '../../support/http2-peer.ts';

/** Sends back what it receives, and the number of bytes in a trailer. */
class Echo implements StreamReceiver {
  readonly #stream: Http2Stream;
  list: HeaderList = [];
  bytes = 0;
  ended: StreamEnd | undefined;

  constructor(stream: Http2Stream) {
    this.#stream = stream;
  }

  headers(list: HeaderList, end: boolean): void {
    this.list = list;
    this.#stream.sendHeaders([
      [':status', '200'],
      ['x-copy', list.find(([name]) => name === 'x-text')?.[1] ?? ''],
    ]);
    if (end) this.#finish();
  }

  data(view: Buffer, end: boolean): void {
    this.bytes += view.length;
    const { length } = view;
    this.#stream.sendData([Buffer.from(view)], { onSent: () => this.#stream.consumed(length) });
    if (end) this.#finish();
  }

  closed(end: StreamEnd): void {
    this.ended = end;
  }

  #finish(): void {
    this.#stream.sendHeaders([['x-bytes', String(this.bytes)]], { end: true });
  }
}

let server: Server;
let session: ClientHttp2Session;
let connection: Http2Connection;
const ended: ConnectionEnd[] = [];
const echoes: Echo[] = [];

async function serve(windows = { streamWindowBytes: 65_535, connectionWindowBytes: 65_535 }): Promise<void> {
  server = createServer({ pauseOnConnect: true }, (socket) => {
    connection = acceptHttp2(socket, {
      ...windows,
      clock: systemClock,
      onStream: (stream) => {
        const echo = new Echo(stream);
        echoes.push(echo);
        return echo;
      },
      onClosed: (end) => ended.push(end),
    }).connection;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => {});
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function request(body: readonly Buffer[], headers: Record<string, string> = {}): Promise<Answer> {
  const stream = session.request({ ':method': 'POST', ':path': '/echo', ...headers });
  const received: { headers: IncomingHttpHeaders; trailers: IncomingHttpHeaders } = {
    headers: {},
    trailers: {},
  };
  const parts: Buffer[] = [];
  stream.on('response', (found) => {
    received.headers = found;
  });
  stream.on('trailers', (found) => {
    received.trailers = found;
  });
  stream.on('data', (part: Buffer) => parts.push(part));
  for (const part of body) stream.write(part);
  stream.end();
  await once(stream, 'close');
  return { ...received, body: Buffer.concat(parts) };
}

function bytes(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
}

describe('HTTP/2 on an accepted socket, with a client of Node', () => {
  beforeEach(() => {
    ended.length = 0;
    echoes.length = 0;
  });

  afterEach(async () => {
    session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('answers a request without a body', async () => {
    await serve();
    const { headers, trailers, body } = await request([]);
    expect([headers[':status'], trailers['x-bytes'], body.length]).toEqual([200, '0', 0]);
    expect(echoes[0]?.ended).toEqual({ kind: 'complete' });
  });

  it('returns a body that is larger than all windows', async () => {
    await serve();
    const body = bytes(3_000_000);
    const answer = await request([body.subarray(0, 10), body.subarray(10)]);
    expect(answer.body.equals(body)).toBe(true);
    expect(answer.trailers['x-bytes']).toBe('3000000');
  });

  it('passes a body through windows of a few bytes', async () => {
    await serve({ streamWindowBytes: 7, connectionWindowBytes: 65_535 });
    // The client learns the window with the first answer.
    await request([]);
    const body = bytes(5_000);
    expect((await request([body])).body.equals(body)).toBe(true);
  });

  it('reads Huffman-coded headers with each printable character, and repeated ones from the table', async () => {
    await serve();
    const text = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join('');
    for (let round = 0; round < 3; round++) {
      const { headers } = await request([], { 'x-text': `a${text}z` });
      expect(headers['x-copy']).toBe(`a${text}z`);
    }
  });

  it('serves many requests at the same time', async () => {
    await serve({ streamWindowBytes: 1_000_000, connectionWindowBytes: 4_000_000 });
    const bodies = Array.from({ length: 50 }, (_, at) => bytes(at * 3_001));
    const answers = await Promise.all(bodies.map((body) => request([body])));
    expect(answers.every(({ body }, at) => bodies[at]?.equals(body))).toBe(true);
  });

  it('changes its windows while requests run', async () => {
    await serve();
    const body = bytes(2_000_000);
    const answer = request([body]);
    for (const size of [1_000_000, 100, 30_000, 5_000_000, 1_000]) {
      await request([bytes(10)]);
      connection.setWindows(size, Math.max(65_535, size * 2));
    }
    expect((await answer).body.equals(body)).toBe(true);
    expect((await request([body])).body.equals(body)).toBe(true);
  });

  it('reports a stream that the client has cancelled', async () => {
    await serve();
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    await once(stream, 'response');
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream, 'close');
    await expect.poll(() => echoes[0]?.ended).toEqual({ kind: 'reset', code: 8 });
  });

  it('refuses new streams after GOAWAY, completes the others, and closes the connection', async () => {
    await serve();
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    await once(stream, 'response');
    const goAway = once(session, 'goaway');
    connection.goAway();
    await goAway;
    const body: Buffer[] = [];
    stream.on('data', (part: Buffer) => body.push(part));
    stream.end('late');
    await once(session, 'close');
    expect(Buffer.concat(body).toString()).toBe('late');
    await expect.poll(() => ended).toHaveLength(1);
  });

  it('reports the end of the connection once', async () => {
    await serve();
    await request([]);
    session.destroy();
    await expect.poll(() => ended).toHaveLength(1);
    expect(connection.isDraining).toBe(true);
  });

  it('lets the server close after its connections', async () => {
    await serve();
    await request([]);
    session.close();
    await new Promise((resolve) => server.close(resolve));
    expect(ended).toHaveLength(1);
  });
});

describe('HTTP/2 on a TLS socket', () => {
  it('leaves turns of the event loop to others while a client sends as fast as it can', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate: cert, key } = await authority.issue({ name: 'server' });
    const turns = new TurnBytes();
    let accepted: Socket | undefined;
    const tlsServer = createTlsServer({ cert, key }, (socket) => {
      onTestFinished(() => void socket.destroy());
      accepted = acceptHttp2(socket, {
        ...{ streamWindowBytes: TLS_BODY_BYTES, connectionWindowBytes: TLS_BODY_BYTES, clock: systemClock },
        onStream: () => turns,
        onClosed: () => {},
      }).socket;
    });
    tlsServer.listen(0, '127.0.0.1');
    await once(tlsServer, 'listening');
    onTestFinished(() => void tlsServer.close());
    const client = connectTls({
      ...{ port: (tlsServer.address() as AddressInfo).port, host: '127.0.0.1', rejectUnauthorized: false },
    });
    onTestFinished(() => void client.destroy());
    client.on('error', () => {});
    client.resume();
    await once(client, 'secureConnect');
    client.write(
      Buffer.concat([PREFACE, frame(FRAME.settings, 0), frame(FRAME.settings, 0, NOTHING, FLAG.ack)]),
    );
    client.write(frame(FRAME.headers, 1, new HpackEncoder().encode(REQUEST), FLAG.endHeaders));
    await vi.waitFor(() => expect(turns.hasHeaders).toBe(true), { timeout: 20_000, interval: 5 });
    accepted?.pause();
    for (let sent = 0; sent < TLS_BODY_BYTES; sent += MIB)
      client.write(frame(FRAME.data, 1, Buffer.alloc(MIB)));
    await vi.waitFor(() => expect(client.bytesWritten).toBeGreaterThan(MIB), {
      timeout: 20_000,
      interval: 5,
    });
    accepted?.resume();
    await vi.waitFor(() => expect(turns.bytes).toBe(TLS_BODY_BYTES), { timeout: 20_000, interval: 5 });
    expect(turns.mostBytes).toBeLessThan(MIB);
  });
});

const MIB = 1024 * 1024;
const TLS_BODY_BYTES = 20 * MIB;
const NOTHING = Buffer.alloc(0);

/** Counts the bytes that arrive in one turn of the event loop. */
class TurnBytes implements StreamReceiver {
  hasHeaders = false;
  bytes = 0;
  mostBytes = 0;
  #turnBytes = 0;

  headers(): void {
    this.hasHeaders = true;
  }

  data(view: Buffer): void {
    if (this.#turnBytes === 0) {
      setImmediate(() => {
        this.#turnBytes = 0;
      });
    }
    this.bytes += view.length;
    this.#turnBytes += view.length;
    this.mostBytes = Math.max(this.mostBytes, this.#turnBytes);
  }

  closed(): void {}
}
