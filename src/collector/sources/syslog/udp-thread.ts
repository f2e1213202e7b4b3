import { createSocket, type RemoteInfo } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { untilQuiet } from '../../../runtime/async/until-quiet.ts';
import type { FromUdpThread, ToUdpThread, UdpThreadData } from './udp-messages.ts';

/**
 * The thread of a UDP socket. It only reads and hands over, so that no other work of the process can delay it
 * until the buffer of the kernel is full. No module imports it.
 */
const HAND_OVER_BYTES = 256 * 1024;
const HAND_OVER_AFTER_MS = 2;
/** Handed over and not yet processed. Above it, messages are dropped and counted. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
const LARGEST_MESSAGE_BYTES = 65_536;
/** Turns of the event loop without a message, after which a closing socket has read all that the kernel has. */
const QUIET_TURNS = 3;
const LF = 0x0a;
const CR = 0x0d;
const NUL = 0x00;

const port = parentPort;
if (port === null) throw new Error('Cannot run udp-thread: it must be started as a worker thread.');
const place = workerData as UdpThreadData;
const { receiveBufferBytes } = place;
const send = (message: FromUdpThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

let data = Buffer.allocUnsafeSlow(HAND_OVER_BYTES + LARGEST_MESSAGE_BYTES);
let length = 0;
let sizes: number[] = [];
let senders: number[] = [];
let senderIndexes = new Map<string, number>();
let addresses: { readonly address: string; readonly port: number }[] = [];
let dropped = 0;
let waitingBytes = 0;
let timer: NodeJS.Timeout | undefined;
let received = 0;

const socket = createSocket({ type: 'host' in place && isIPv6(place.host) ? 'udp6' : 'udp4' });
socket.on('message', receive);
socket.on('error', (error) => {
  send({ kind: 'failed', reason: error.message });
  socket.close();
  port.close();
});
const bound = 'fd' in place ? { fd: place.fd } : { address: place.host, port: place.port };
socket.bind(bound, () => {
  const { address, port: udpPort } = socket.address();
  try {
    // systemd may have granted a larger one, above the limit of the kernel.
    if (grantedBytes() < receiveBufferBytes) socket.setRecvBufferSize(receiveBufferBytes);
  } catch {
    // The kernel decides; the size is reported.
  }
  send({ kind: 'listening', address, port: udpPort, receiveBufferBytes: grantedBytes() });
});
port.on('message', (message: ToUdpThread) => {
  if (message.kind === 'processed') waitingBytes -= message.bytes;
  else void close();
});

function receive(message: Buffer, { address, port: from }: RemoteInfo): void {
  received++;
  let end = message.length;
  while (end > 0 && isEnding(message[end - 1])) end--;
  if (end === 0) return;
  if (waitingBytes + length > MAX_WAITING_BYTES) dropped++;
  else {
    message.copy(data, length, 0, end);
    data[length + end] = LF;
    length += end + 1;
    sizes.push(end + 1);
    senders.push(senderIndex(address, from));
  }
  if (length >= HAND_OVER_BYTES) handOver();
  else timer ??= setTimeout(handOver, HAND_OVER_AFTER_MS);
}

/** The kernel doubles the size for its own use. */
function grantedBytes(): number {
  return Math.floor(socket.getRecvBufferSize() / 2);
}

function isEnding(byte: number | undefined): boolean {
  return byte === LF || byte === NUL || byte === CR;
}

function senderIndex(address: string, from: number): number {
  const key = `${address} ${from}`;
  const known = senderIndexes.get(key);
  if (known !== undefined) return known;
  const index = addresses.push({ address, port: from }) - 1;
  senderIndexes.set(key, index);
  return index;
}

function handOver(): void {
  clearTimeout(timer);
  timer = undefined;
  if (sizes.length === 0 && dropped === 0) return;
  const bytes = data.subarray(0, length);
  const batch = {
    data: bytes,
    sizes: Uint32Array.from(sizes),
    senders: Uint32Array.from(senders),
    addresses,
    dropped,
  };
  waitingBytes += length;
  send({ kind: 'batch', ...batch }, [data.buffer, batch.sizes.buffer, batch.senders.buffer]);
  data = Buffer.allocUnsafeSlow(HAND_OVER_BYTES + LARGEST_MESSAGE_BYTES);
  length = 0;
  sizes = [];
  senders = [];
  senderIndexes = new Map();
  addresses = [];
  dropped = 0;
}

/** Reads what the kernel has received, and closes. */
async function close(): Promise<void> {
  await untilQuiet(() => received, QUIET_TURNS);
  socket.close();
  handOver();
  send({ kind: 'closed' });
  port?.close();
}
