import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client';
import type { SqlRow } from '../../logstore/sql/sql-database.ts';
import type { Clock } from '../../runtime/clock.ts';
import { readClientTls } from '../client-tls.ts';
import type { ClickHouseConfiguration } from './configuration.ts';
import { isUnreachable } from './describe-failure.ts';

/** The HTTP connections to the servers of one configuration. A server that does not answer is left for the next one. */
export class Connection {
  readonly #clients: readonly Server[];
  readonly #clock: Clock;
  #current: number;
  #place: string;

  private constructor(clients: readonly Server[], { clock, current = 0 }: ConnectionOptions) {
    this.#clients = clients;
    this.#clock = clock;
    this.#current = current;
    this.#place = this.#server.url;
  }

  /** Reads the files of the configuration; throws if one cannot be read. Does not connect. */
  static async open(configuration: ClickHouseConfiguration, options: ConnectionOptions): Promise<Connection> {
    const { url, user, password, password_file, ...tlsKeys } = configuration;
    const { database = configuration.database } = options;
    const secret = password ?? (await contentOf(password_file))?.trimEnd();
    const tls = await readClientTls(tlsKeys);
    const clients = url.map((each) => {
      const settings = { url: each, username: user, database, application: 'mega-collector' };
      const client = createClient({
        ...settings,
        ...(secret !== undefined && { password: secret }),
        request_timeout: MAX_TIMEOUT_MS,
        max_open_connections: MAX_CONNECTIONS,
        log: { level: ClickHouseLogLevel.OFF },
        ...(each.startsWith('https:') && { http_agent: agentOf(tls) }),
      });
      return { client, url: each };
    });
    return new Connection(clients, options);
  }

  /** The server of the last request, for messages; contains no secret. */
  get place(): string {
    return this.#place;
  }

  /** The index of the server that is used. */
  get current(): number {
    return this.#current;
  }

  /** The rows of a query. Rejects with the client's error. */
  async query(query: string, options: RequestOptions): Promise<readonly SqlRow[]> {
    return await this.#request(options, async (client, request) => {
      const result = await client.query({ query, format: 'JSONEachRow', ...request });
      return await result.json<SqlRow>();
    });
  }

  /** A statement without a result. */
  async command(query: string, options: RequestOptions): Promise<void> {
    await this.#request(options, async (client, request) => {
      await client.command({ query, ...request });
    });
  }

  /** `query`: an INSERT up to its format. */
  async insert(query: string, frames: readonly Uint8Array[], options: RequestOptions): Promise<void> {
    await this.#request(options, async (client, request) => {
      const { stream } = await client.exec({
        query,
        values: Readable.from(frames, { objectMode: false }),
        ...request,
      });
      for await (const _ of stream);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map(({ client }) => client.close()));
  }

  async #request<T>(
    { settings, timeoutMs, signal }: RequestOptions,
    send: (client: ClickHouseClient, request: ClientRequest) => Promise<T>,
  ): Promise<T> {
    const timeout = new AbortController();
    const cancel = this.#clock.after(timeoutMs + GRACE_MS, () => timeout.abort());
    const used = this.#current;
    this.#place = this.#server.url;
    try {
      const abort_signal = signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, signal]);
      const clickhouse_settings = {
        ...settings,
        max_execution_time: Math.max(1, Math.ceil(timeoutMs / 1000)),
        // An error that occurs while the result is sent is an error of the request.
        wait_end_of_query: 1 as const,
      };
      return await send(this.#server.client, { abort_signal, clickhouse_settings });
    } catch (error) {
      if (isUnreachable(error) && used === this.#current) this.#current = (used + 1) % this.#clients.length;
      if (timeout.signal.aborted)
        throw new Error(`the server did not answer for ${Math.round(timeoutMs + GRACE_MS)} ms`);
      signal?.throwIfAborted();
      throw error;
    } finally {
      cancel();
    }
  }

  get #server(): Server {
    const server = this.#clients[this.#current];
    if (server === undefined) throw new Error('no server is configured');
    return server;
  }
}

export interface ConnectionOptions {
  readonly clock: Clock;
  /** Default: that of the configuration. */
  readonly database?: string;
  /** The index of the server to begin with. Default: the first one. */
  readonly current?: number;
}

export interface RequestOptions {
  readonly settings: ClickHouseSettings;
  /** The server stops the statement after this time, and the client waits a little longer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface ClientRequest {
  readonly abort_signal: AbortSignal;
  readonly clickhouse_settings: ClickHouseSettings;
}

interface Server {
  readonly client: ClickHouseClient;
  readonly url: string;
}

/** Every request has its own, shorter limit. */
const MAX_TIMEOUT_MS = 7_200_000;
const GRACE_MS = 2000;
/** One for the writer, one for maintenance, and queries. */
const MAX_CONNECTIONS = 8;

function agentOf({ ca, certificate, key, serverName }: Awaited<ReturnType<typeof readClientTls>>): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets: MAX_CONNECTIONS,
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  });
}

async function contentOf(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : await readFile(path, 'utf8');
}
