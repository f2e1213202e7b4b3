import { once } from 'node:events';
import { createServer as createHttp1 } from 'node:http';
import { createServer as createHttp2, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GRPC_STATUS, type GrpcStatus } from '../../../src/protocols/grpc/grpc-status.ts';
import { messagePrefix } from '../../../src/protocols/grpc/message-assembler.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type Endpoint, parseEndpoint } from '../../../src/runtime/configuration/address.ts';
import { secureContextOptions, serverTlsOptions, type TlsMaterial } from '../../../src/runtime/tls.ts';
import { GrpcClient } from '../../../src/transport/grpc/grpc-client.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PATH = '/test.Echo/Chat';

class Answers {
  readonly messages: Buffer[] = [];
  #resolve: (status: GrpcStatus) => void = () => {};
  readonly status = new Promise<GrpcStatus>((resolve) => {
    this.#resolve = resolve;
  });

  message(bytes: Buffer): void {
    this.messages.push(bytes);
  }

  closed(status: GrpcStatus): void {
    this.#resolve(status);
  }
}

function clientOf(endpoint: Endpoint, tls?: TlsMaterial, connectTimeoutMs?: number): GrpcClient {
  const client = new GrpcClient({
    endpoint,
    tls,
    clock: systemClock,
    maxMessageBytes: 4_000_000,
    userAgent: 'test/1',
    connectTimeoutMs,
  });
  onTestFinished(() => client.close());
  return client;
}

const same = (bytes: Buffer) => bytes;

/** A server of grpc-js that returns each message, and ends with the code of the message `end N`. */
async function grpcServer(address = '127.0.0.1:0', credentials = ServerCredentials.createInsecure()) {
  const server = new Server({ 'grpc.max_receive_message_length': 10_000_000 });
  const definition = {
    chat: {
      path: PATH,
      requestStream: true,
      responseStream: true,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  } as const;
  server.addService(definition, {
    chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (message: Buffer) => {
        const code = /^end (\d+)$/.exec(message.toString('latin1', 0, 20))?.[1];
        if (code === undefined) call.write(message);
        else call.emit('error', { code: Number(code), details: 'für 100 %' });
      });
      call.on('end', () => call.end());
      call.on('error', () => {});
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  onTestFinished(() => server.forceShutdown());
  return { server, port, endpoint: { host: '127.0.0.1', port } };
}

/** A server whose answers are written by hand. */
async function http2Server(handle: (stream: ServerHttp2Stream) => void) {
  const server = createHttp2();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    handle(stream);
  });
  return { server, endpoint: await listening(server) };
}

async function listening(server: Http2Server | TcpServer): Promise<Endpoint> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

async function statusOf(client: GrpcClient, timeoutMs?: number): Promise<GrpcStatus> {
  const answers = new Answers();
  client.call(PATH, answers, { timeoutMs }).send([Buffer.from('question')]);
  return answers.status;
}

describe('a call of a server of grpc-js', () => {
  it('sends messages in parts, and receives them, in order', async () => {
    const { endpoint } = await grpcServer();
    const answers = new Answers();
    const call = clientOf(endpoint).call(PATH, answers);
    const sizes = [0, 1, 16_384, 3_000_000, 5, 65_535, 200_000];
    const bodies = sizes.map((size, at) => Buffer.alloc(size, at + 1));
    let sent = 0;
    for (const body of bodies) {
      const half = body.length >> 1;
      call.send([body.subarray(0, half), body.subarray(half)], () => sent++);
    }
    call.end();
    expect(await answers.status).toEqual({ code: GRPC_STATUS.ok, message: 'OK' });
    expect(answers.messages.map(({ length }) => length)).toEqual(sizes);
    expect(answers.messages.every((message, at) => bodies[at]?.equals(message))).toBe(true);
    expect(sent).toBe(sizes.length);
  });

  it('ends with the code and the text of the server', async () => {
    const { endpoint } = await grpcServer();
    const answers = new Answers();
    clientOf(endpoint)
      .call(PATH, answers)
      .send([Buffer.from('end 10')]);
    expect(await answers.status).toEqual({ code: GRPC_STATUS.aborted, message: 'für 100 %' });
  });

  it('ends with UNIMPLEMENTED for an unknown method', async () => {
    const { endpoint } = await grpcServer();
    const answers = new Answers();
    clientOf(endpoint).call('/test.Echo/None', answers).end();
    expect((await answers.status).code).toBe(GRPC_STATUS.unimplemented);
  });

  it('uses one connection for several calls, and another one after its end', async () => {
    const first = await grpcServer();
    const client = clientOf(first.endpoint);
    const [one, two] = [new Answers(), new Answers()];
    const calls = [client.call(PATH, one), client.call(PATH, two)];
    for (const call of calls) call.send([Buffer.from('hello')]);
    await expect.poll(() => [one.messages.length, two.messages.length]).toEqual([1, 1]);
    first.server.forceShutdown();
    expect([(await one.status).code, (await two.status).code].every((code) => code !== GRPC_STATUS.ok)).toBe(
      true,
    );
    await grpcServer(`127.0.0.1:${first.port}`);
    const three = new Answers();
    const call = client.call(PATH, three);
    call.send([Buffer.from('again')]);
    call.end();
    expect((await three.status).code).toBe(GRPC_STATUS.ok);
    expect(String(three.messages[0])).toBe('again');
  });

  it('reports a cancelled call once, at once', async () => {
    const { endpoint } = await grpcServer();
    const answers = new Answers();
    const call = clientOf(endpoint).call(PATH, answers);
    call.send([Buffer.from('x')]);
    await expect.poll(() => answers.messages.length).toBe(1);
    call.cancel();
    expect(call.isClosed).toBe(true);
    expect((await answers.status).code).toBe(GRPC_STATUS.cancelled);
  });

  it('works over a Unix socket', async () => {
    const path = join(await temporaryDirectory(), 'grpc.sock');
    await grpcServer(`unix:${path}`);
    const answers = new Answers();
    const call = clientOf(parseEndpoint(`unix:${path}`)).call(PATH, answers);
    call.send([Buffer.alloc(100_000, 1)]);
    call.end();
    expect((await answers.status).code).toBe(GRPC_STATUS.ok);
    expect(answers.messages[0]).toHaveLength(100_000);
  });

  it('works over TLS, and verifies both sides', async () => {
    const authority = await CertificateAuthority.create();
    const issue = async (name: string) => authority.issue({ name });
    const server = await issue('localhost');
    class Tls extends ServerCredentials {
      override _equals() {
        return false;
      }
    }
    const { port } = await grpcServer(
      '127.0.0.1:0',
      new Tls(serverTlsOptions(server), secureContextOptions(server)),
    );
    const endpoint = { host: 'localhost', port };
    const answers = new Answers();
    const call = clientOf(endpoint, await issue('client')).call(PATH, answers);
    call.send([Buffer.alloc(1_000_000, 1)]);
    call.end();
    expect((await answers.status).code).toBe(GRPC_STATUS.ok);
    expect(answers.messages[0]).toHaveLength(1_000_000);

    const other = await (await CertificateAuthority.create('Other')).issue({ name: 'client' });
    const untrusted = await statusOf(clientOf(endpoint, other));
    expect(untrusted).toMatchObject({
      code: GRPC_STATUS.unavailable,
      message: expect.stringMatching(/self-signed|certificate/),
    });
    const refused = await statusOf(clientOf(endpoint, { ...other, caCertificate: authority.certificate }));
    expect(refused.code).toBe(GRPC_STATUS.unavailable);
    const wrongName = await statusOf(clientOf({ host: '127.0.0.2', port }, await issue('client')));
    expect(wrongName.code).toBe(GRPC_STATUS.unavailable);
    const plain = await statusOf(clientOf(endpoint));
    expect(plain.code).toBe(GRPC_STATUS.unavailable);
  });
});

describe('a call ends with the right status', () => {
  it('when nothing is listening', async () => {
    const server = createTcp();
    const endpoint = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const { code, message } = await statusOf(clientOf(endpoint));
    expect([code, message]).toEqual([GRPC_STATUS.unavailable, expect.stringContaining('ECONNREFUSED')]);
  });

  it('when the name is unknown', async () => {
    const { code, message } = await statusOf(clientOf({ host: 'nothing.invalid', port: 1 }));
    expect([code, message]).toEqual([GRPC_STATUS.unavailable, expect.stringMatching(/ENOTFOUND|EAI_AGAIN/)]);
  });

  it('when the server speaks HTTP/1', async () => {
    const endpoint = await listening(createHttp1());
    const { code, message } = await statusOf(clientOf(endpoint));
    expect([code, message]).toEqual([
      GRPC_STATUS.unavailable,
      'the peer does not speak HTTP/2: it sent HTTP/1',
    ]);
  });

  it('when the server accepts a connection and closes it', async () => {
    const endpoint = await listening(createTcp((socket) => socket.end()));
    const { code, message } = await statusOf(clientOf(endpoint));
    expect([code, message]).toEqual([
      GRPC_STATUS.unavailable,
      expect.stringMatching(/, before the peer sent HTTP\/2$/),
    ]);
  });

  it('when the server never answers', async () => {
    const sockets: Socket[] = [];
    const endpoint = await listening(createTcp((socket) => sockets.push(socket)));
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    expect((await statusOf(clientOf(endpoint), 50)).code).toBe(GRPC_STATUS.deadlineExceeded);
  });

  it('when the TLS handshake never completes', async () => {
    const material = await (await CertificateAuthority.create()).issue({ name: 'x' });
    const sockets: Socket[] = [];
    const endpoint = await listening(createTcp((socket) => sockets.push(socket)));
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    expect(await statusOf(clientOf(endpoint, material, 50))).toEqual({
      code: GRPC_STATUS.unavailable,
      message: 'no connection within 0.05 s',
    });
  });

  it.each([
    [400, GRPC_STATUS.internal],
    [401, GRPC_STATUS.unauthenticated],
    [403, GRPC_STATUS.permissionDenied],
    [404, GRPC_STATUS.unimplemented],
    [429, GRPC_STATUS.unavailable],
    [503, GRPC_STATUS.unavailable],
    [500, GRPC_STATUS.unknown],
  ])('for the HTTP status %i', async (status, code) => {
    const { endpoint } = await http2Server((stream) => {
      stream.respond({ ':status': status, 'content-type': 'text/html' });
      stream.end('<h1>no</h1>');
    });
    expect(await statusOf(clientOf(endpoint))).toEqual({
      code,
      message: `the server answered with the HTTP status ${status}`,
    });
  });

  const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

  it.each([
    ['another content type', { ':status': 200, 'content-type': 'text/html' }, GRPC_STATUS.unknown],
    [
      'a status in the headers (trailers only)',
      { ...GRPC, 'grpc-status': '8', 'grpc-message': 'full' },
      GRPC_STATUS.resourceExhausted,
    ],
    ['a status that is no number', { ...GRPC, 'grpc-status': 'x' }, GRPC_STATUS.unknown],
    ['no status', GRPC, GRPC_STATUS.unknown],
  ])('for %s', async (_, headers, code) => {
    const { endpoint } = await http2Server((stream) => {
      stream.respond(headers, { endStream: true });
    });
    expect((await statusOf(clientOf(endpoint))).code).toBe(code);
  });

  it.each([
    [7, GRPC_STATUS.unavailable],
    [8, GRPC_STATUS.cancelled],
    [11, GRPC_STATUS.resourceExhausted],
    [12, GRPC_STATUS.permissionDenied],
    [1, GRPC_STATUS.internal],
    [2, GRPC_STATUS.internal],
  ])('for RST_STREAM with the code %i', async (rst, code) => {
    const { endpoint } = await http2Server((stream) => {
      stream.respond(GRPC);
      stream.close(rst);
    });
    expect((await statusOf(clientOf(endpoint))).code).toBe(code);
  });

  it('for a message that is too large or compressed', async () => {
    for (const [prefix, code] of [
      [messagePrefix(4_000_001), GRPC_STATUS.resourceExhausted],
      [Buffer.from([1, 0, 0, 0, 9]), GRPC_STATUS.unimplemented],
    ] as const) {
      const { endpoint } = await http2Server((stream) => {
        stream.respond(GRPC);
        stream.write(prefix);
      });
      expect((await statusOf(clientOf(endpoint))).code).toBe(code);
    }
  });

  it('when the connection breaks', async () => {
    const { endpoint } = await http2Server((stream) => {
      stream.respond(GRPC);
      setImmediate(() => stream.session?.destroy());
    });
    expect((await statusOf(clientOf(endpoint))).code).toBe(GRPC_STATUS.unavailable);
  });

  it('when the client is closed, also before a connection', async () => {
    const { endpoint } = await grpcServer();
    const client = clientOf(endpoint);
    const pending = statusOf(client);
    client.close();
    expect((await pending).code).toBe(GRPC_STATUS.unavailable);
    expect((await statusOf(client)).code).toBe(GRPC_STATUS.unavailable);
  });
});
