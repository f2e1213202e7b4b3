import { chmod, unlink } from 'node:fs/promises';
import { clearSocketPath } from '../clear-socket-path.ts';
import { PeerAttributes } from './peer-attributes.ts';
import type { SyslogListener, SyslogListenerOptions } from './syslog-listener.ts';

/** Listens at a Unix datagram socket, such as /dev/log. Node.js has none, so an optional package is needed. */
export class UnixDatagramListener implements SyslogListener {
  readonly #options: SyslogListenerOptions;
  readonly #peer = new PeerAttributes({ transport: 'unix', zones: [] });
  #socket: DatagramSocket | undefined;

  constructor(options: SyslogListenerOptions) {
    this.#options = options;
  }

  async open(): Promise<string> {
    const { listen, socketMode, receiveBufferBytes } = this.#options.configuration;
    if (!('path' in listen)) throw new Error('Cannot listen for Unix datagrams without a path');
    const Socket = await loadDatagramSocket();
    await clearSocketPath(listen.path);
    const socket = new Socket();
    socket.on('data', (message) => this.#receive(message));
    socket.on('error', (error) => this.#failed(error));
    socket.bind(listen.path);
    socket.setRecvBufferSize(receiveBufferBytes);
    await chmod(listen.path, socketMode);
    this.#socket = socket;
    return listen.path;
  }

  async close(_deadline: AbortSignal): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    for (let turn = 0; turn < LAST_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    socket.close();
    const { listen } = this.#options.configuration;
    if ('path' in listen) await unlink(listen.path).catch(() => {});
  }

  #receive(message: Buffer): void {
    const { channel, events, listener, configuration } = this.#options;
    const { messageBytes } = configuration;
    let end = message.length;
    while (end > 0 && ENDINGS.has(message[end - 1] ?? -1)) end--;
    if (end === 0) return;
    const truncatedFrom = end > messageBytes ? end : undefined;
    if (truncatedFrom !== undefined) events.truncated({ listener });
    const bytes = message.subarray(0, Math.min(end, messageBytes));
    events.received({ listener, records: 1, bytes: end });
    if (channel.append(bytes, this.#peer.with({ truncatedFrom })) === 'full') channel.drop(end + 1);
  }

  #failed(error: Error): void {
    const { events, listener } = this.#options;
    events.listenFailed({ listener, reason: error.message });
  }
}

/** The part of node-unix-socket that is used. */
interface DatagramSocket {
  on(event: 'data', callback: (message: Buffer, path: string) => void): void;
  on(event: 'error', callback: (error: Error) => void): void;
  bind(path: string): void;
  setRecvBufferSize(bytes: number): void;
  close(): void;
}

/** LF, CR and NUL. */
const ENDINGS = new Set([0x0a, 0x0d, 0x00]);
const LAST_TURNS = 4;

async function loadDatagramSocket(): Promise<new () => DatagramSocket> {
  try {
    const { DgramSocket } = await import('node-unix-socket');
    return DgramSocket;
  } catch (error) {
    throw new Error(
      'Cannot listen at a Unix datagram socket: the optional package node-unix-socket is not installed for this platform. Install it, or use unix:// or udp://',
      { cause: error },
    );
  }
}
