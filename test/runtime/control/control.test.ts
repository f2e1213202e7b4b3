import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Json } from '../../../src/records/json.ts';
import {
  ControlError,
  type ControlHandlers,
  callControl,
  serveControl,
} from '../../../src/runtime/control/control.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ECHO: ControlHandlers = { echo: async (input) => input };

async function serving(handlers = ECHO, { directory = '', clientTimeoutMs = 30_000 } = {}) {
  const place = directory || (await temporaryDirectory());
  const { logger, lines } = capturedLogger();
  const server = await serveControl({ directory: place, handlers, logger, clientTimeoutMs });
  onTestFinished(() => server.close());
  return { directory: place, server, lines };
}

/** What a peer gets back when it sends these bytes and then waits for the end. */
async function sent(directory: string, bytes: string | Buffer): Promise<string> {
  const socket = connect(join(directory, 'control.sock'));
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.write(bytes);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe('a command', () => {
  test.each<[Json]>([[null], ['text'], [7], [[1, { deep: ['ü', '\u2028\n'] }]], [{}]])(
    '%j comes back',
    async (value) => {
      const { directory } = await serving();
      expect(await callControl(directory, 'echo', value)).toEqual({ answered: true, value });
    },
  );

  test('may be large', async () => {
    const { directory } = await serving({ make: async () => 'x'.repeat(8 * 1024 * 1024), ...ECHO });
    const value = 'y'.repeat(1024 * 1000);
    expect(await callControl(directory, 'echo', value)).toEqual({ answered: true, value });
    const made = await callControl(directory, 'make', null);
    expect(made.answered && (made.value as string).length).toBe(8 * 1024 * 1024);
  });

  test('larger than 1 MiB is rejected', async () => {
    const { directory } = await serving();
    await expect(callControl(directory, 'echo', 'z'.repeat(1024 * 1024))).rejects.toMatchObject({
      kind: 'too-large',
    });
  });

  test('that is unknown is rejected', async () => {
    const { directory } = await serving();
    for (const command of ['shout', 'constructor', '__proto__', '']) {
      await expect(callControl(directory, command, null)).rejects.toMatchObject({ kind: 'unknown-command' });
    }
  });

  test('that fails returns its kind', async () => {
    const { directory, lines } = await serving({
      missing: async () => {
        throw new ControlError('not-found', 'There is no such dead letter');
      },
      broken: async () => {
        throw new RangeError('out of range');
      },
    });
    await expect(callControl(directory, 'missing', null)).rejects.toThrow(
      expect.objectContaining({
        name: 'ControlError',
        kind: 'not-found',
        message: 'There is no such dead letter',
      }),
    );
    expect(lines).toEqual([]);
    await expect(callControl(directory, 'broken', null)).rejects.toMatchObject({
      kind: 'failed',
      message: 'out of range',
    });
    expect(lines).toEqual([expect.objectContaining({ msg: 'A control command failed', command: 'broken' })]);
  });

  test('that takes too long ends with a timeout of the client', async () => {
    let finish: (value: Json) => void = () => {};
    const { directory } = await serving({ wait: () => new Promise((resolve) => (finish = resolve)) });
    await expect(callControl(directory, 'wait', null, { timeoutMs: 20 })).rejects.toMatchObject({
      kind: 'timeout',
    });
    finish(null);
  });

  test('many come over one connection, in order', async () => {
    const { directory } = await serving();
    const requests = Array.from(
      { length: 50 },
      (_, input) => `${JSON.stringify({ command: 'echo', input })}\n`,
    );
    const answers = sent(directory, `${requests.join('')}garbage\n`);
    const values = (await answers)
      .trim()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).value as number);
    expect(values).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });
});

describe('no owner', () => {
  test('without a socket, or without the directory', async () => {
    const directory = await temporaryDirectory();
    expect(await callControl(directory, 'echo', null)).toEqual({ answered: false });
    expect(await callControl(join(directory, 'missing'), 'echo', null)).toEqual({ answered: false });
    expect(await callControl(join(directory, 'x'.repeat(120)), 'echo', null)).toEqual({ answered: false });
  });

  test('after close; the socket is gone', async () => {
    const { directory, server } = await serving();
    await server.close();
    expect(await readdir(directory)).toEqual([]);
    expect(await callControl(directory, 'echo', null)).toEqual({ answered: false });
  });

  test('the owner ends in between', async () => {
    const directory = await temporaryDirectory();
    const server = createServer((socket) => void socket.on('data', () => socket.destroy()));
    await new Promise<void>((resolve) => server.listen(join(directory, 'control.sock'), resolve));
    onTestFinished(() => void server.close());
    await expect(callControl(directory, 'echo', null)).rejects.toMatchObject({ kind: 'interrupted' });
  });
});

describe('the socket', () => {
  test('is for its user only', async () => {
    const { directory } = await serving();
    const { mode } = await stat(join(directory, 'control.sock'));
    expect((mode & 0o777).toString(8)).toBe('600');
  });

  test('works at a path that is longer than a socket address', async () => {
    const directory = join(await temporaryDirectory(), 'd'.repeat(100), 'e'.repeat(100));
    await mkdir(directory, { recursive: true });
    const { server } = await serving(ECHO, { directory });
    expect(await readdir(directory)).toEqual(['control.sock']);
    expect(await callControl(directory, 'echo', 1)).toEqual({ answered: true, value: 1 });
    await server.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test('of a running process is not used', async () => {
    const { directory } = await serving();
    await expect(serving(ECHO, { directory })).rejects.toThrow(/Another process answers/);
    expect(await callControl(directory, 'echo', 1)).toEqual({ answered: true, value: 1 });
  });

  test('of a killed process is replaced', async () => {
    const directory = await temporaryDirectory();
    await leaveStaleSocket(join(directory, 'control.sock'));
    await serving(ECHO, { directory });
    expect(await callControl(directory, 'echo', 1)).toEqual({ answered: true, value: 1 });
  });

  test('is never made in place of a file', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'control.sock'), 'precious');
    await expect(serving(ECHO, { directory })).rejects.toThrow(/not a socket/);
    expect(await readdir(directory)).toEqual(['control.sock']);
  });
});

describe('a hostile client', () => {
  test.each([
    ['no JSON', 'hello\n', 'invalid-request'],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a]), 'invalid-request'],
    ['another shape', '[]\n', 'invalid-request'],
    ['null', 'null\n', 'invalid-request'],
    ['an HTTP request', 'GET / HTTP/1.1\r\n\r\n', 'invalid-request'],
    ['a line without end', 'a'.repeat(1024 * 1024 + 1), 'too-large'],
  ])('that sends %s gets an error, without harm to others', async (_, bytes, kind) => {
    const { directory } = await serving(ECHO, { clientTimeoutMs: 50 });
    expect(JSON.parse((await sent(directory, bytes)).split('\n')[0] ?? '')).toMatchObject({
      ok: false,
      kind,
    });
    expect(await callControl(directory, 'echo', 1)).toEqual({ answered: true, value: 1 });
  });

  test('that sends nothing is disconnected', async () => {
    const { directory } = await serving(ECHO, { clientTimeoutMs: 20 });
    expect(await sent(directory, '{"command"')).toBe('');
  });

  test('that does not read is cut off, and close does not wait for it', async () => {
    const { directory, server } = await serving(
      { make: async () => 'x'.repeat(16 * 1024 * 1024) },
      { clientTimeoutMs: 100 },
    );
    const socket: Socket = connect(join(directory, 'control.sock'));
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.pause();
    await new Promise<void>((resolve) => socket.write('{"command":"make","input":null}\n', () => resolve()));
    await server.close();
  });
});

test('close waits for the running command', async () => {
  let finish: (value: Json) => void = () => {};
  const { directory, server } = await serving({ slow: () => new Promise((resolve) => (finish = resolve)) });
  const idle = finish;
  const answer = callControl(directory, 'slow', null);
  await vi.waitUntil(() => finish !== idle);
  const closed = server.close();
  finish('done');
  expect(await answer).toEqual({ answered: true, value: 'done' });
  await closed;
});

/** A socket node that nobody listens on: what SIGKILL leaves behind. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', script]);
  await new Promise((resolve) => child.once('exit', resolve));
}
