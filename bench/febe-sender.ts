/**
 * Simulates PostgreSQL processes: one connection for each socket. All of them send captured bytes of a real
 * server, at a steady total rate or as fast as they are read. Each record is a separate write.
 *
 *     node febe-sender.js '{"paths": [...], "identity": "db", "recordsPerSecond": 50000, "seconds": 10}'
 *
 * Prints one line of JSON (FebeSending). In PostgreSQL a write that the kernel does not accept at once blocks
 * the process: `slowestWriteMs` measures this. Delays of this process itself increase the value.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { encodeFrame } from '../src/protocols/febe/encode-frame.ts';
import { FRAME_TYPES } from '../src/protocols/febe/febe-session.ts';
import { LogShape, SHAPE_INDEX } from '../src/protocols/febe/log-shape.ts';

export interface FebeSenderPlan {
  readonly paths: readonly string[];
  readonly identity: string;
  /** 0: as fast as they are read. */
  readonly recordsPerSecond: number;
  readonly seconds: number;
}

export interface FebeSending {
  readonly records: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly slowestWriteMs: number;
  /** Writes that the kernel did not accept at once. */
  readonly waitedWrites: number;
}

const CAPTURE = 'test/fixtures/pg_logfebe/capture.bin';
const HEAD_BYTES = 5;
/** Consecutive records of one connection, when no rate is given. */
const RUN = 16;

interface CapturedFrame {
  readonly bytes: Buffer;
  /** Offset of the record's number within its session. */
  readonly sequenceAt: number;
}

interface Sender {
  readonly socket: Socket;
  sequence: bigint;
  waiting: boolean;
}

const plan = JSON.parse(process.argv[2] ?? '') as FebeSenderPlan;
const { version, frames } = readCapture();
const greeting = Buffer.concat([
  version,
  encodeFrame(FRAME_TYPES.identity, Buffer.from(`${plan.identity}\0`)),
]);
const senders = await Promise.all(plan.paths.map(connectTo));
let records = 0;
let bytes = 0;
let slowestWriteMs = 0;
let waitedWrites = 0;

const began = performance.now();
await (plan.recordsPerSecond > 0 ? sendSteadily(plan.recordsPerSecond) : sendAtFullSpeed());
const seconds = (performance.now() - began) / 1000;
for (const { socket } of senders) socket.end();
await Promise.all(senders.map(({ socket }) => once(socket, 'close')));
process.stdout.write(`${JSON.stringify({ records, bytes, seconds, slowestWriteMs, waitedWrites })}\n`);

/** Due records are written by any process that can: a process that is blocked in a write reports nothing. */
async function sendSteadily(recordsPerSecond: number): Promise<void> {
  const total = recordsPerSecond * plan.seconds;
  for (let next = 0; records < total; await sleep(1)) {
    const due = Math.min(total, ((performance.now() - began) / 1000) * recordsPerSecond);
    for (let refusals = 0; records < due && refusals < senders.length; next = (next + 1) % senders.length) {
      const sender = senders[next];
      if (sender === undefined || sender.waiting) refusals++;
      else {
        refusals = 0;
        write(sender);
      }
    }
  }
}

async function sendAtFullSpeed(): Promise<void> {
  while (performance.now() - began < plan.seconds * 1000) {
    for (const sender of senders) for (let i = 0; i < RUN && !sender.waiting; i++) write(sender);
    await nextTurn();
  }
}

function write(sender: Sender): void {
  const { socket } = sender;
  const frame = frames[Number(sender.sequence) % frames.length] as CapturedFrame;
  const copy = Buffer.from(frame.bytes);
  copy.writeBigInt64BE(++sender.sequence, frame.sequenceAt);
  records++;
  bytes += copy.length - HEAD_BYTES;
  const startedAt = performance.now();
  socket.write(copy, () => {
    if (sender.waiting) slowestWriteMs = Math.max(slowestWriteMs, performance.now() - startedAt);
    sender.waiting = false;
  });
  sender.waiting = socket.writableLength > 0;
  if (sender.waiting) waitedWrites++;
  else slowestWriteMs = Math.max(slowestWriteMs, performance.now() - startedAt);
}

async function connectTo(path: string): Promise<Sender> {
  const socket = connect({ path });
  await once(socket, 'connect');
  socket.resume();
  socket.write(greeting);
  return { socket, sequence: 0n, waiting: false };
}

function readCapture(): { version: Buffer; frames: readonly CapturedFrame[] } {
  const capture = readFileSync(CAPTURE);
  const shape = new LogShape();
  const found: CapturedFrame[] = [];
  let first: Buffer | undefined;
  for (let offset = 0; offset < capture.length; ) {
    const length = 1 + capture.readUInt32BE(offset + 1);
    const frame = capture.subarray(offset, offset + length);
    offset += length;
    if (frame[0] === 0x56) first ??= frame;
    if (frame[0] !== 0x4c) continue;
    shape.measure(frame.subarray(HEAD_BYTES));
    found.push({
      bytes: frame,
      sequenceAt: HEAD_BYTES + (shape.starts[SHAPE_INDEX.sequence] ?? 0),
    });
  }
  if (first === undefined) throw new Error(`${CAPTURE} has no version`);
  return { version: first, frames: found };
}
