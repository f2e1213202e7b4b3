import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Stands between two peers, and can keep back what one of them says. */
export class TcpProxy {
  readonly address: string;
  /** Bytes that went from the client to the server. */
  forwardBytes = 0;
  #holding = false;
  readonly #held: (() => void)[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(address: string) {
    this.address = address;
  }

  static async start(target: string): Promise<TcpProxy> {
    const [host, port] = [target.slice(0, target.lastIndexOf(':')), Number(target.split(':').at(-1))];
    const server = createServer((client) => proxy.#join(client, connect(port, host)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new TcpProxy(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => {
      proxy.cut();
      server.close();
    });
    return proxy;
  }

  /** From now on nothing that the server says reaches the client. */
  holdAnswers(): void {
    this.#holding = true;
  }

  releaseAnswers(): void {
    this.#holding = false;
    for (const pass of this.#held.splice(0)) pass();
  }

  /** Both sides see their connection break. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, server: Socket): void {
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (bytes) => {
      this.forwardBytes += bytes.length;
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (this.#holding) this.#held.push(() => client.write(bytes));
      else client.write(bytes);
    });
  }
}
