import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { callControl } from '../../../src/runtime/control/control-client.ts';
import { ControlServer } from '../../../src/runtime/control/control-server.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const STATUS = { method: 'GET', path: '/v1/status' } as const;
const REPLAY = { method: 'POST', path: '/v1/dead-letters/replay', body: '{"all":true}' } as const;

/** A process that listens on the control socket of a directory. */
async function listening(onSocket: (socket: Socket) => void): Promise<string> {
  const directory = await temporaryDirectory();
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(join(directory, 'control.sock'), resolve));
  onTestFinished(() => void server.close());
  return directory;
}

describe('no process is running', () => {
  test('without a socket, and without the directory', async () => {
    const directory = await temporaryDirectory();
    expect(await callControl(directory, STATUS)).toBeUndefined();
    expect(await callControl(join(directory, 'missing'), STATUS)).toBeUndefined();
    expect(await callControl(join(directory, 'x'.repeat(120)), STATUS)).toBeUndefined();
  });

  test('after a stop', async () => {
    const directory = await temporaryDirectory();
    const { logger } = capturedLogger();
    const server = new ControlServer({ directory, handle: () => ({ body: '{}' }), logger });
    await server.start();
    expect(await callControl(directory, STATUS)).toEqual({ status: 200, text: '{}' });
    await server.stop(AbortSignal.abort());
    expect(await callControl(directory, STATUS)).toBeUndefined();
  });
});

describe('a process', () => {
  /** The line protocol of version 0.1.0: each line is JSON, and so is its answer. */
  const earlierVersion = (socket: Socket) => {
    let received = '';
    socket.on('data', (chunk) => {
      received += String(chunk);
      if (!received.includes('\n')) return;
      socket.end('{"ok":false,"kind":"invalid-request","message":"A line is not JSON in UTF-8"}\n');
    });
  };

  test.each([
    ['without a body', STATUS],
    ['with a body', REPLAY],
  ])('of version 0.1.0 is reported, with what to do, for a request %s', async (_, call) => {
    const directory = await listening(earlierVersion);
    await expect(callControl(directory, call)).rejects.toThrow(
      `Cannot read the answer of the process that runs on ${directory}: it is of an earlier version. Restart it.`,
    );
  });

  test('that ends before it answers is reported', async () => {
    const directory = await listening((socket) => void socket.on('data', () => socket.destroy()));
    await expect(callControl(directory, STATUS)).rejects.toThrow(/ended before it answered.*Repeat/);
  });

  const sendHalf = (socket: Socket, then: () => void) =>
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', then));

  test('that ends in the middle of its answer is reported', async () => {
    const directory = await listening((socket) => void sendHalf(socket, () => socket.destroy()));
    await expect(callControl(directory, STATUS)).rejects.toThrow(/ended before it answered/);
  });

  test('that does not answer is reported after the timeout', async () => {
    const silent = await listening(() => {});
    await expect(callControl(silent, STATUS, { timeoutMs: 20 })).rejects.toThrow(/not answer within 0.02 s/);
    const half = await listening((socket) => void sendHalf(socket, () => {}));
    await expect(callControl(half, STATUS, { timeoutMs: 50 })).rejects.toThrow(/not answer within 0.05 s/);
  });

  test('whose answer is too large is reported', async () => {
    const directory = await temporaryDirectory();
    const { logger } = capturedLogger();
    const body = 'x'.repeat(64 * 1024 * 1024 + 1);
    const server = new ControlServer({ directory, handle: () => ({ body }), logger });
    await server.start();
    onTestFinished(() => server.stop(AbortSignal.abort()));
    await expect(callControl(directory, STATUS)).rejects.toThrow(/must be at most 67108864 bytes/);
  });
});
