import { connect, type Socket } from 'node:net';
import { numberedLine } from '../numbered-line.ts';
import { RELP_LOG } from './message-number.ts';

const RECONNECT_MS = 100;

/** Writes numbered messages to rsyslog over TCP while it is connected. Only written messages use a number. */
export class MessageWriter {
  readonly #port: number;
  #socket: Socket | undefined;
  #isConnected = false;
  #written = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  get written(): number {
    return this.#written;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  start(): void {
    const socket = connect(this.#port, '127.0.0.1', () => {
      this.#isConnected = true;
    });
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => {
      this.#isConnected = false;
      if (this.#socket === socket) this.#timer = setTimeout(() => this.start(), RECONNECT_MS);
    });
    this.#socket = socket;
  }

  write(messages: number): void {
    if (!this.#isConnected) return;
    for (let each = 0; each < messages; each++)
      this.#socket?.write(`${HEADER}${numberedLine(RELP_LOG, this.#written++)}`);
  }

  stop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    clearTimeout(this.#timer);
    socket?.destroy();
  }
}

const HEADER = '<13>1 2026-11-28T10:00:00Z client chaos - - - ';
