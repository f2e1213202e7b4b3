import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';

export interface RelpServerPlan {
  readonly port?: number;
  readonly tls?: TlsOptions;
  /** Replaces the response to `open`. */
  readonly open?: (connection: RelpServerConnection, txnr: number) => void;
  /** Replaces the response to a message. */
  readonly message?: (connection: RelpServerConnection, txnr: number, data: string) => void;
}

/** A RELP server with a parser of its own that answers 200, or misbehaves as a test wants. */
export class RelpServer {
  /** The accepted messages: those with the answer 200, in order of arrival. */
  readonly accepted: string[] = [];
  readonly connections: RelpServerConnection[] = [];
  plan: RelpServerPlan;
  readonly #server: Server;

  private constructor(server: Server, plan: RelpServerPlan) {
    this.#server = server;
    this.plan = plan;
  }

  static async start(plan: RelpServerPlan = {}): Promise<RelpServer> {
    const accept = (socket: Socket) => void relp.connections.push(new RelpServerConnection(socket, relp));
    const server = plan.tls === undefined ? createServer(accept) : createTlsServer(plan.tls, accept);
    server.on('tlsClientError', () => {});
    const relp = new RelpServer(server, plan);
    server.listen(plan.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => relp.stop());
    return relp;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** All commands of all connections: `open`, `syslog`, `close`, with their transaction numbers. */
  get commands(): readonly string[] {
    return this.connections.flatMap(({ commands }) => commands);
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export class RelpServerConnection {
  readonly commands: string[] = [];
  readonly socket: Socket;
  readonly #server: RelpServer;
  /** The connection ignores everything from now on. */
  isDeaf = false;
  #received = Buffer.alloc(0);

  constructor(socket: Socket, server: RelpServer) {
    this.socket = socket;
    this.#server = server;
    socket.on('error', () => {});
    socket.on('data', (bytes) => this.#read(bytes));
  }

  send(text: string): void {
    this.socket.write(text);
  }

  respond(txnr: number, data: string): void {
    this.send(data === '' ? `${txnr} rsp 0\n` : `${txnr} rsp ${Buffer.byteLength(data)} ${data}\n`);
  }

  acceptOpen(txnr: number): void {
    this.respond(txnr, '200 OK\nrelp_version=0\nrelp_software=test,1,http://test.example\ncommands=syslog');
  }

  accept(txnr: number, data: string): void {
    this.#server.accepted.push(data);
    this.respond(txnr, '200 OK');
  }

  #read(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    while (!this.isDeaf) {
      const head = /^(\d+) ([a-z]+) (\d+)( |\n)/.exec(this.#received.toString('latin1', 0, 60));
      if (head === null) return;
      const [whole, txnr, command = '', length] = head;
      const dataEnd = whole.length + Number(length);
      const end = Number(length) === 0 ? whole.length : dataEnd + 1;
      if (this.#received.length < end) return;
      const data = this.#received.toString('utf8', whole.length, dataEnd);
      this.#received = this.#received.subarray(end);
      this.commands.push(`${txnr} ${command}`);
      this.#command(Number(txnr), command, data);
    }
  }

  #command(txnr: number, command: string, data: string): void {
    const { open, message } = this.#server.plan;
    if (command === 'open') {
      if (open === undefined) this.acceptOpen(txnr);
      else open(this, txnr);
    } else if (command === 'syslog') {
      if (message === undefined) this.accept(txnr, data);
      else message(this, txnr, data);
    } else if (command === 'close') {
      this.send(`${txnr} rsp 0\n0 serverclose 0\n`);
      this.socket.end();
    }
  }
}
