import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { MemoryStream } from '../../../support/memory-stream.ts';
import { callsOf, startIntake, startPublisher } from '../../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 30_000, interval: 10 });

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const HEADERS = 1;
const SETTINGS = 4;
const CONTINUATION = 9;
const END_HEADERS = 4;

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A header of HPACK: literal, without indexing. */
function header(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), hpackText(name), hpackText(value)]);
}

function hpackText(text: string): Buffer {
  const length = [text.length];
  if (text.length >= 127) {
    length[0] = 127;
    for (let rest = text.length - 127; rest >= 0; rest = rest >= 128 ? Math.floor(rest / 128) : -1)
      length.push(rest >= 128 ? (rest % 128) + 128 : rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text)]);
}

const PUBLISH = Buffer.concat([
  header(':method', 'POST'),
  header(':path', '/megacollector.v1.Aggregator/Publish'),
  header(':scheme', 'http'),
  header(':authority', 'localhost'),
  header('content-type', 'application/grpc'),
  header('te', 'trailers'),
]);
const LARGE_HEADER = header('x-large', 'v'.repeat(16_000));

/** A connection that never acknowledges the settings of the server, so that they do not hold for it. */
async function rawConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0))]));
  await once(socket, 'data');
  return socket;
}

/** Writes for as long as the connection is open. */
async function flood(socket: Socket, bytes: Buffer): Promise<void> {
  while (!socket.closed && !socket.destroyed) {
    if (!socket.write(bytes))
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {});
    await setImmediate();
  }
}

async function othersAreUnharmed(port: number): Promise<void> {
  const { publisher } = await startPublisher([`127.0.0.1:${port}`]);
  const stream = new MemoryStream().append('honest\n');
  publisher.open(stream);
  await until(() => expect(stream.accepted).toBe(7));
}

it.each([
  ['with headers in them', LARGE_HEADER],
  ['without a byte in them', Buffer.alloc(0)],
])('closes a connection that sends CONTINUATION frames without end, %s', async (_, payload) => {
  const { intake, metrics } = await startIntake();
  const hostile = await rawConnection(intake.port);
  hostile.write(frame(HEADERS, 0, 1, PUBLISH));
  await flood(hostile, frame(CONTINUATION, 0, 1, payload));
  expect(await callsOf(metrics)).toBe(0);
  await othersAreUnharmed(intake.port);
});

it('closes a connection that opens a call with more than 16 KiB of headers', async () => {
  const { intake, metrics, lines } = await startIntake();
  const hostile = await rawConnection(intake.port);
  hostile.write(frame(HEADERS, 0, 1, PUBLISH));
  hostile.write(frame(CONTINUATION, 0, 1, LARGE_HEADER));
  hostile.write(frame(CONTINUATION, END_HEADERS, 1, header('x-more', 'v'.repeat(1_000))));
  await until(() => expect(hostile.closed).toBe(true));
  await until(async () => expect(await callsOf(metrics)).toBe(0));
  expect(lines.filter(({ msg }) => msg === 'Closed a connection')).toMatchObject([
    { reason: 'the headers of a call exceed 16 KiB' },
  ]);
  await othersAreUnharmed(intake.port);
});

it('serves a call with less than 16 KiB of headers', async () => {
  const { intake, metrics } = await startIntake();
  const peer = await rawConnection(intake.port);
  peer.write(frame(HEADERS, 0, 1, PUBLISH));
  peer.write(frame(CONTINUATION, END_HEADERS, 1, header('x-trace', 'v'.repeat(8_000))));
  await until(async () => expect(await callsOf(metrics)).toBe(1));
});
