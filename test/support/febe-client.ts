import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { chunksOf, greeting, recordFrame } from './febe-frames.ts';

/** A PostgreSQL process, as far as a collector can tell. */
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

  /** Connected, with version and identity sent. */
  static async greeted(path: string, identity: string, version?: string): Promise<FebeClient> {
    const client = await FebeClient.connect(path);
    await client.send(greeting(identity, version));
    return client;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the bytes are in the kernel's hands. */
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
