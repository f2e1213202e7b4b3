import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { FileTransport } from '../../src/transport/file-transport.ts';
import { StdoutTransport } from '../../src/transport/stdout-transport.ts';
import type { Connection, StreamTransport } from '../../src/transport/transport.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function opened(transport: StreamTransport): Promise<Connection> {
  const opening = await transport.open();
  if (opening.kind === 'failed') throw new Error(opening.failure.reason);
  return opening.connection;
}

const inTime = () => AbortSignal.timeout(5_000);

it('appends to a file', async () => {
  const path = join(await temporaryDirectory(), 'out');
  await writeFile(path, 'old ');
  const connection = await opened(new FileTransport(path));
  expect(await connection.write(Buffer.from('new '))).toBeUndefined();
  expect(await connection.write(Buffer.alloc(3_000_000, 'x'))).toBeUndefined();
  await connection.close(inTime());
  const text = await readFile(path, 'utf8');
  expect(text.slice(0, 9)).toBe('old new x');
  expect(text.length).toBe(3_000_008);
});

it('creates a missing file, and reports a failure to do so', async () => {
  const directory = await temporaryDirectory();
  const connection = await opened(new FileTransport(join(directory, 'made')));
  await connection.write(Buffer.from('x'));
  await connection.close(inTime());
  expect(await readFile(join(directory, 'made'), 'utf8')).toBe('x');
  expect(await new FileTransport(directory).open()).toMatchObject({
    failure: { reason: 'it is a directory' },
  });
  expect(await new FileTransport(join(directory, 'no', 'file')).open()).toMatchObject({
    failure: { code: 'ENOENT' },
  });
});

it('reports a full disk', async () => {
  const connection = await opened(new FileTransport('/dev/full'));
  expect(await connection.write(Buffer.from('x'))).toMatchObject({ code: 'ENOSPC' });
  expect(connection.ended).toMatchObject({ orderly: false });
});

it('writes to a named pipe while it has a reader', async () => {
  const path = join(await temporaryDirectory(), 'pipe');
  await promisify(execFile)('mkfifo', [path]);
  const transport = new FileTransport(path);
  expect(await transport.open()).toMatchObject({ failure: { reason: 'the pipe has no reader' } });

  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const connection = await opened(transport);
  expect(await connection.write(Buffer.from('through'))).toBeUndefined();
  const buffer = Buffer.alloc(100);
  const { bytesRead } = await reader.read(buffer, 0, 100);
  expect(buffer.toString('utf8', 0, bytesRead)).toBe('through');
  await reader.close();
  await expect.poll(async () => (await connection.write(Buffer.from('x'))) !== undefined).toBe(true);
});

it('writes to an output that it leaves open', async () => {
  const output = new PassThrough();
  const connection = await opened(new StdoutTransport(output));
  expect(await connection.write(Buffer.from('shown'))).toBeUndefined();
  await connection.close(inTime());
  expect(output.read().toString()).toBe('shown');
  expect(output.writable).toBe(true);
  expect(output.listenerCount('error')).toBe(0);
});

it('survives an output that breaks', async () => {
  const output = new PassThrough();
  const connection = await opened(new StdoutTransport(output));
  output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  expect(await connection.whenEnded).toMatchObject({ reason: 'the receiver has closed the connection' });
  expect(await connection.write(Buffer.from('x'))).toMatchObject({ code: 'EPIPE' });
});
