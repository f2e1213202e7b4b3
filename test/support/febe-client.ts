import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { chunksOf, greeting, recordFrame } from './febe-frames.ts';

/** Simulates a PostgreSQL process for a collector. */
export class FebeClient {
  readonly socket: Socket;
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
    });
    socket.resume();
  }

  static async connect(path: string): Promise<FebeClient> {
    const socket = connect({ path });
    await once(socket, 'connect');
    onTestFinished(() => void socket.destroy());
    return new FebeClient(socket);
  }

  /** Connects and sends version and identity. */
  static async greeted(path: string, identity: string, version?: string): Promise<FebeClient> {
    const client = await FebeClient.connect(path);
    await client.send(greeting(identity, version));
    return client;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the kernel has accepted the bytes. */
  async send(bytes: Uint8Array, chunkBytes = bytes.length): Promise<void> {
    for (const chunk of chunksOf(bytes, Math.max(1, chunkBytes)))
      await new Promise<void>((resolve) => this.socket.write(chunk, () => resolve()));
  }

  record(message: string, fields = {}): Promise<void> {
    return this.send(recordFrame(message, fields));
  }

  async end(): Promise<void> {
    this.socket.end();
    if (!this.#closed) await once(this.socket, 'close');
  }
}
