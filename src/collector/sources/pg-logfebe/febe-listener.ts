import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { FebeFault } from '../../../protocols/febe/febe-fault.ts';
import type { FebeLimits } from '../../../protocols/febe/febe-limits.ts';
import type { ServerVersion } from '../../../protocols/febe/server-version.ts';
import { untilQuiet } from '../../../runtime/async/until-quiet.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { ListenerStatus } from '../../source.ts';
import { clearSocketPath } from '../clear-socket-path.ts';
import type { PgLogfebeEvents } from './events.ts';
import { type ConnectionListener, FebeConnection } from './febe-connection.ts';
import { GapDetector } from './gap-detector.ts';
import type { Tenant } from './tenant.ts';
import { originOf, originText } from './tenant-origin.ts';

/**
 * A postmaster and all its children may connect at the same time, and each blocks in connect() while the backlog
 * is full. Node accepts one connection in each turn of its loop. The kernel limits this to its `somaxconn`.
 */
const BACKLOG = 4096;

export interface FebeListenerOptions {
  readonly tenant: Tenant;
  /** Permission bits of the socket: a process that may write to it may log. */
  readonly socketMode: number;
  readonly limits: FebeLimits;
  readonly clock: Clock;
  readonly events: PgLogfebeEvents;
  /** Must copy the payload, and must not wait. Returns false when there is no room for it. */
  readonly append: (payload: Uint8Array, version: ServerVersion, tenant: Tenant) => boolean;
}

/** One tenant's socket and its connections. */
export class FebeListener implements ConnectionListener {
  /** May be replaced by a tenant with the same identity and path. */
  tenant: Tenant;
  readonly #options: FebeListenerOptions;
  readonly #identity: Uint8Array;
  readonly #gaps = new GapDetector();
  readonly #connections = new Set<FebeConnection>();
  #server: Server | undefined;
  #hadConnection = false;
  #records = 0;
  #bytes = 0;
  #withoutRoom = 0;

  constructor(options: FebeListenerOptions) {
    this.tenant = options.tenant;
    this.#options = options;
    this.#identity = Buffer.from(options.tenant.identity);
  }

  /** Resolves when connections are accepted; rejects when listening at the path is not possible. */
  async open(): Promise<void> {
    const { socketMode, events } = this.#options;
    const { tenant } = this;
    await clearSocketPath(tenant.path);
    const server = createServer((socket) => this.#accept(socket));
    server.listen({ path: tenant.path, backlog: BACKLOG });
    await once(server, 'listening');
    try {
      await chmod(tenant.path, socketMode);
    } catch (error) {
      server.close();
      throw error;
    }
    // A connection that cannot be accepted (no file descriptors) does not end the listener.
    server.on('error', (error) => events.listenFailed({ ...tenant, reason: error.message }));
    this.#server = server;
    events.listening(tenant);
  }

  /** Accepts no more connections, reads the bytes already sent, and removes the socket. Safe to call twice. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    await untilQuiet(() => this.#receivedBytes());
    for (const connection of this.#connections) connection.close();
    await closed;
    this.#options.events.closed(this.tenant);
  }

  #accept(socket: Socket): void {
    const { limits, clock, events } = this.#options;
    events.connected();
    this.#connections.add(
      new FebeConnection({
        socket,
        identity: this.#identity,
        limits,
        clock,
        track: this.#gaps.track(),
        listener: this,
      }),
    );
  }

  /** For the connections. */
  established(version: ServerVersion): void {
    const { events } = this.#options;
    const fields = { ...this.tenant, version: version.text };
    if (this.#hadConnection) {
      events.established(fields);
      return;
    }
    this.#hadConnection = true;
    events.firstEstablished(fields);
    if (version.unheardOf) events.newerVersion(fields);
  }

  /** For the connections. */
  record(payload: Uint8Array, version: ServerVersion, missed: number): void {
    const { events, append } = this.#options;
    events.record(payload.length);
    if (missed > 0) events.missed(missed);
    this.#records++;
    this.#bytes += payload.length;
    if (!append(payload, version, this.tenant)) this.#withoutRoom++;
  }

  /** `failure`: why it is closed. The name is that of its stream. */
  status(failure?: string): ListenerStatus {
    const isOpen = this.#server !== undefined;
    return {
      listener: originText(originOf(this.tenant)),
      ...(isOpen
        ? ({ state: 'listening', address: this.tenant.path } as const)
        : ({ state: 'closed', ...(failure !== undefined && { failure }) } as const)),
      connections: this.#connections.size,
      clients: [],
      ...{ records: this.#records, bytes: this.#bytes, dropped: { noRoom: this.#withoutRoom } },
    };
  }

  /** For the connections. */
  ended(connection: FebeConnection, fault: FebeFault | 'silence' | undefined): void {
    const { events } = this.#options;
    const { tenant } = this;
    this.#connections.delete(connection);
    if (fault === 'silence') events.startupTimedOut(tenant);
    else if (fault !== undefined) events.faulty({ ...tenant, ...fault, records: connection.records });
    events.disconnected({ ...tenant, records: connection.records });
  }

  #receivedBytes(): number {
    let bytes = 0;
    for (const connection of this.#connections) bytes += connection.bytesRead;
    return bytes;
  }
}
