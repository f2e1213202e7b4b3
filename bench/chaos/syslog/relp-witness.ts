import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { RelpFrameReader } from '../../../src/protocols/relp/frame-reader.ts';
import { messageNumber } from './message-number.ts';

/**
 * A proxy between a RELP client and the collector. It records the messages that the client sent, and those that
 * the collector answered. An answer is the promise that the message is stored: a kill of the client can lose
 * messages only before their answer, and the witness is the only one that knows them.
 */
export class RelpWitness {
  readonly port: number;
  /** Numbers of sent messages. */
  readonly sent = new Set<number>();
  /** Numbers of messages with the answer 200. */
  readonly answered = new Set<number>();
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #resent = 0;
  #refused = 0;
  #sessions = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(targetPort: number): Promise<RelpWitness> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const witness = new RelpWitness(server);
    server.on('connection', (client) => witness.#join(client, connect(targetPort, '127.0.0.1')));
    return witness;
  }

  /** Messages that were sent before. */
  get resent(): number {
    return this.#resent;
  }

  /** Answers that are not 200. */
  get refused(): number {
    return this.#refused;
  }

  /** Connections in which the server answered an `open`. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const connection of [...this.#connections]) this.#break(connection);
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }

  #join(client: Socket, server: Socket): void {
    const connection: Connection = { client, server, open: new Map() };
    this.#connections.add(connection);
    for (const socket of [client, server]) {
      socket.on('error', () => {});
      socket.on('close', () => this.#break(connection));
    }
    const requests = new RelpFrameReader();
    const answers = new RelpFrameReader();
    client.on('data', (bytes) => {
      requests.push(bytes, {
        frame: ({ txnr, command, data }) => this.#sent(connection, txnr, command, data),
      });
      if (!server.write(bytes)) client.pause();
    });
    server.on('data', (bytes) => {
      answers.push(bytes, {
        frame: ({ txnr, command, data }) => this.#answered(connection, txnr, command, data),
      });
      if (!client.write(bytes)) server.pause();
    });
    server.on('drain', () => client.resume());
    client.on('drain', () => server.resume());
  }

  #sent({ open }: Connection, txnr: number, command: string, data: Uint8Array): undefined {
    const number = command === 'syslog' ? messageNumber(Buffer.from(data).toString('latin1')) : undefined;
    open.set(txnr, number ?? command);
    if (number === undefined) return;
    if (this.sent.has(number)) this.#resent++;
    this.sent.add(number);
  }

  #answered({ open }: Connection, txnr: number, command: string, data: Uint8Array): undefined {
    if (command !== 'rsp') return;
    const number = open.get(txnr);
    open.delete(txnr);
    if (!Buffer.from(data).toString('latin1').startsWith('200')) this.#refused++;
    else if (number === 'open') this.#sessions++;
    else if (typeof number === 'number') this.answered.add(number);
  }

  #break(connection: Connection): void {
    this.#connections.delete(connection);
    connection.client.destroy();
    connection.server.destroy();
  }
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  /** The number of the message of each transaction, or another command. */
  readonly open: Map<number, number | string>;
}
