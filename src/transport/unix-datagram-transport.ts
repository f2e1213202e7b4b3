import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { PacketTransport, TransportFailure } from './transport.ts';
import { MAX_SOCKET_PATH_BYTES } from './transport-address.ts';
import { failureOf, timedOut } from './transport-failure.ts';

export class UnixDatagramTransport implements PacketTransport {
  readonly address: string;
  readonly #path: string;
  readonly #options: UnixDatagramTransportOptions;
  #sender: Sender | undefined;
  #answer = Buffer.alloc(0);
  #settle: ((failure: TransportFailure | undefined) => void) | undefined;

  constructor(path: string, options: UnixDatagramTransportOptions = {}) {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
      throw new RangeError(`the path of a Unix socket has at most ${MAX_SOCKET_PATH_BYTES} bytes: ${path}`);
    }
    this.address = `unixgram:${path}`;
    this.#path = path;
    this.#options = options;
  }

  send(packet: Uint8Array): Promise<TransportFailure | undefined> {
    const { clock = systemClock, sendTimeoutMs = DEFAULT_SEND_TIMEOUT_MS } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.after(sendTimeoutMs, () => {
        this.#drop(timedOut('the receiver did not accept the packet', sendTimeoutMs));
      });
      this.#settle = (failure) => {
        this.#settle = undefined;
        cancel();
        resolve(failure);
      };
      this.#sender ??= this.#start();
      const length = Buffer.alloc(4);
      length.writeUInt32BE(packet.length);
      this.#sender.stdin.write(Buffer.concat([length, packet]));
    });
  }

  takeLateFailure(): undefined {
    return undefined;
  }

  close(): void {
    this.#drop({ reason: 'closed' });
  }

  #start(): Sender {
    const { perl = 'perl' } = this.#options;
    const sender = spawn(perl, ['-e', SENDER, this.#path], { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = (failure: TransportFailure) => {
      if (this.#sender === sender) this.#drop(failure);
    };
    sender.on('error', (error) => {
      const { code } = failureOf(error);
      const reason = `${perl}, which sends Unix datagrams for Node, could not be started`;
      ended(code === undefined ? { reason } : { reason, code });
    });
    sender.on('exit', () => ended({ reason: 'the process that sends Unix datagrams ended' }));
    sender.stdin.on('error', () => {});
    sender.stdout.on('data', (bytes: Buffer) => {
      if (this.#sender === sender) this.#onAnswer(bytes);
    });
    return sender;
  }

  #onAnswer(bytes: Buffer): void {
    this.#answer = Buffer.concat([this.#answer, bytes]);
    if (this.#answer.length < 2) return;
    const errno = this.#answer.readUInt16BE();
    this.#answer = this.#answer.subarray(2);
    this.#settle?.(errno === 0 ? undefined : failureOfErrno(errno));
  }

  #drop(failure: TransportFailure): void {
    const sender = this.#sender;
    this.#sender = undefined;
    this.#answer = Buffer.alloc(0);
    sender?.kill('SIGKILL');
    this.#settle?.(failure);
  }
}

/**
 * Node has no Unix datagram sockets, so a perl child process sends them; perl is in the base system of Debian
 * and most others. It reads frames of a 4-byte length and a packet, and writes the system's error number (2
 * bytes) for each. It exits at the end of its input.
 */
const SENDER = `
use strict; use Socket; $| = 1; binmode STDIN; binmode STDOUT;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or exit 1;
my $address = sockaddr_un($ARGV[0]);
while ((read(STDIN, my $length, 4) // 0) == 4) {
  my $size = unpack('N', $length); my $packet = '';
  if ($size > 0) { (read(STDIN, $packet, $size) // 0) == $size or last; }
  my $sent = send($socket, $packet, 0, $address);
  print pack('n', defined $sent ? 0 : $! + 0);
}
`;

export interface UnixDatagramTransportOptions {
  readonly clock?: Clock | undefined;
  /** Maximum wait for a receiver with a full queue. Default 10 s. */
  readonly sendTimeoutMs?: number | undefined;
  readonly perl?: string | undefined;
}

type Sender = ChildProcessByStdio<Writable, Readable, null>;

const DEFAULT_SEND_TIMEOUT_MS = 10_000;

function failureOfErrno(errno: number): TransportFailure {
  const code = getSystemErrorName(-errno);
  return failureOf(Object.assign(new Error(code), { code }));
}
