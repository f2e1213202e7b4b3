import { spawn } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { callControl } from '../../../src/runtime/control/control-client.ts';
import { ControlServer } from '../../../src/runtime/control/control-server.ts';
import type { HttpHandler, HttpRoute } from '../../../src/runtime/http/http-contract.ts';
import { routed } from '../../../src/runtime/http/http-router.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ECHO: HttpRoute = {
  method: 'POST',
  path: '/echo',
  handle: async (request) => ({ body: JSON.stringify(await request.json()) }),
};
const echo = (value: unknown) => ({ method: 'POST', path: '/echo', body: JSON.stringify(value) }) as const;
const get = (path: string) => ({ method: 'GET', path }) as const;
const route = (path: string, handle: HttpHandler): HttpRoute => ({ method: 'GET', path, handle });

interface Place {
  readonly directory?: string;
  readonly clientTimeoutMs?: number;
}

async function serving(
  routes: readonly HttpRoute[] = [ECHO],
  { directory = '', clientTimeoutMs = 30_000 }: Place = {},
) {
  const place = directory || (await temporaryDirectory());
  const { logger } = capturedLogger();
  const server = new ControlServer({ directory: place, handle: routed(routes), logger, clientTimeoutMs });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  return { directory: place, server };
}

/** Returns the bytes that a client receives when it sends these and waits for the end. */
/** A server that closes a connection with unread bytes resets it, after its answer. */
async function sent(directory: string, bytes: string | Buffer): Promise<string> {
  const socket = connect(join(directory, 'control.sock'));
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(bytes);
  await closed;
  return answer;
}

describe('a request', () => {
  test.each<[unknown]>([[null], ['text'], [7], [[1, { deep: ['ü', '\u2028\n'] }]], [{}]])(
    'with %j is answered',
    async (value) => {
      const { directory } = await serving();
      const text = JSON.stringify(value);
      expect(await callControl(directory, echo(value))).toEqual({ status: 200, text });
    },
  );

  test('and its answer may be large', async () => {
    const huge = 'x'.repeat(8 * 1024 * 1024);
    const { directory } = await serving([ECHO, route('/huge', () => ({ body: huge }))]);
    const value = 'y'.repeat(1024 * 1000);
    expect((await callControl(directory, echo(value)))?.text).toBe(JSON.stringify(value));
    expect((await callControl(directory, get('/huge')))?.text).toBe(huge);
  });

  test('with a body of more than 1 MiB is rejected', async () => {
    const { directory } = await serving();
    expect(await callControl(directory, echo('z'.repeat(1024 * 1024)))).toMatchObject({ status: 413 });
  });

  test('that takes longer than the timeout for clients is answered', async () => {
    const slow = route('/slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { body: '"done"' };
    });
    const { directory } = await serving([slow], { clientTimeoutMs: 50 });
    expect(await callControl(directory, get('/slow'))).toEqual({ status: 200, text: '"done"' });
  });
});

describe('the socket', () => {
  test('is accessible only to its user', async () => {
    const { directory } = await serving();
    const { mode } = await stat(join(directory, 'control.sock'));
    expect((mode & 0o777).toString(8)).toBe('600');
  });

  test('works at a path that is longer than a socket address', async () => {
    const directory = join(await temporaryDirectory(), 'd'.repeat(100), 'e'.repeat(100));
    await mkdir(directory, { recursive: true });
    const { server } = await serving([ECHO], { directory });
    expect(await readdir(directory)).toEqual(['control.sock']);
    expect(await callControl(directory, echo(1))).toMatchObject({ status: 200 });
    await server.stop(AbortSignal.abort());
    expect(await readdir(directory)).toEqual([]);
  });

  test('of a running process is not replaced', async () => {
    const { directory } = await serving();
    await expect(serving([ECHO], { directory })).rejects.toThrow(/another process is listening/);
    expect(await callControl(directory, echo(1))).toMatchObject({ status: 200 });
  });

  test('of a killed process is replaced', async () => {
    const directory = await temporaryDirectory();
    await leaveStaleSocket(join(directory, 'control.sock'));
    await serving([ECHO], { directory });
    expect(await callControl(directory, echo(1))).toMatchObject({ status: 200 });
  });

  test('is never created in place of another file', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'control.sock'), 'precious');
    await expect(serving([ECHO], { directory })).rejects.toThrow(/not a socket/);
    expect(await readdir(directory)).toEqual(['control.sock']);
  });
});

describe('a hostile client', () => {
  test.each([
    ['no HTTP', 'hello\n'],
    ['a command of version 0.1.0', '{"command":"status","input":{}}\n'],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a])],
    ['headers without end', `GET / HTTP/1.1\r\nx: ${'a'.repeat(64 * 1024)}`],
  ])('that sends %s is rejected, and other clients are answered', async (_, bytes) => {
    const { directory } = await serving();
    expect(await sent(directory, bytes)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(await callControl(directory, echo(1))).toMatchObject({ status: 200 });
  });

  test('that sends half of a request is disconnected', async () => {
    const { directory } = await serving([ECHO], { clientTimeoutMs: 50 });
    expect(await sent(directory, 'POST /echo HTTP/1.1\r\n')).toMatch(/^$|^HTTP\/1\.1 408 /);
  });

  test('that opens many connections does not keep others out', async () => {
    const { directory } = await serving();
    const sockets = Array.from({ length: 60 }, () =>
      connect(join(directory, 'control.sock')).on('error', () => {}),
    );
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await vi.waitFor(
      async () => expect(await callControl(directory, echo(1))).toMatchObject({ status: 200 }),
      20_000,
    );
  });

  test('that does not read does not delay the stop beyond its deadline', async () => {
    const huge = route('/huge', () => ({ body: 'x'.repeat(16 * 1024 * 1024) }));
    const { directory, server } = await serving([huge]);
    const socket: Socket = connect(join(directory, 'control.sock'));
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.pause();
    await new Promise<void>((resolve) =>
      socket.write('GET /huge HTTP/1.1\r\nHost: x\r\n\r\n', () => resolve()),
    );
    await server.stop(AbortSignal.timeout(50));
  });
});

describe('a stop', () => {
  async function slowlyServing() {
    const started = vi.fn();
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const slow = route('/slow', async () => {
      started();
      await finished;
      return { body: '"done"' };
    });
    const { directory, server } = await serving([slow]);
    const reply = callControl(directory, get('/slow'));
    reply.catch(() => {});
    await vi.waitFor(() => expect(started).toHaveBeenCalled());
    return { server, reply, finish };
  }

  test('lets a running request be answered', async () => {
    const { server, reply, finish } = await slowlyServing();
    const stopped = server.stop(AbortSignal.timeout(20_000));
    finish();
    expect(await reply).toEqual({ status: 200, text: '"done"' });
    await stopped;
  });

  test('waits for a running handler also after its deadline: the handler uses the state', async () => {
    const { server, reply, finish } = await slowlyServing();
    const stopped = vi.fn();
    const stop = server.stop(AbortSignal.abort()).then(stopped);
    await expect(reply).rejects.toThrow('ended before it answered');
    expect(stopped).not.toHaveBeenCalled();
    finish();
    await stop;
  });
});

/** Leaves a socket without a listener, as SIGKILL does. */
async function leaveStaleSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', script]);
  await new Promise((resolve) => child.once('exit', resolve));
}
