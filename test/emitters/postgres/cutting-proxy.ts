import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * The handling of bytes of a client: they are passed on, lost with the connection, or passed on without an
 * answer.
 */
export type Verdict = 'pass' | 'cut before' | 'cut after' | 'silence';

/** A proxy before a server that inspects the bytes of its clients. */
export class CuttingProxy {
  readonly port: number;
  /** `isStoring`: since its last BEGIN, this connection has begun a COPY. */
  judge: (bytes: Buffer, isStoring: boolean) => Verdict | Promise<Verdict> = () => 'pass';

  private constructor(port: number) {
    this.port = port;
  }

  static async start(targetPort: number): Promise<CuttingProxy> {
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const target = connect(targetPort, '127.0.0.1');
      let isSilent = false;
      let isStoring = false;
      const end = () => {
        client.destroy();
        target.destroy();
      };
      for (const socket of [client, target]) {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', end);
      }
      const judged = async (bytes: Buffer) => {
        if (bytes.includes('begin isolation')) isStoring = false;
        if (bytes.includes('copy log_records')) isStoring = true;
        const verdict = await proxy.judge(bytes, isStoring);
        if (verdict === 'cut before') return end();
        if (verdict === 'silence') isSilent = true;
        target.write(bytes, () => {
          // The server has it, or will have read it before it sees the end.
          if (verdict === 'cut after') {
            isSilent = true;
            client.destroy();
          }
        });
        return undefined;
      };
      let last = Promise.resolve();
      client.on('data', (bytes) => {
        last = last.then(() => judged(bytes));
      });
      target.on('data', (bytes) => {
        if (!isSilent) client.write(bytes);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new CuttingProxy((server.address() as AddressInfo).port);
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return proxy;
  }
}

/** Whether a client says `commit` here: a query message of its own, as the driver sends it. */
export function saysCommit(bytes: Buffer): boolean {
  return bytes.includes('commit\0');
}
