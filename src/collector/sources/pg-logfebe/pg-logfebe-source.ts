import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import {
  DB_SYSTEM,
  POSTGRES_IDENTITY,
  POSTGRES_SOCKET,
  POSTGRES_VERSION,
} from '../../../formats/postgres/resource-attributes.ts';
import { FEBE_LIMITS, type FebeLimits } from '../../../protocols/febe/febe-limits.ts';
import type { ServerVersion } from '../../../protocols/febe/server-version.ts';
import type { Resource } from '../../../records/resource.ts';
import { SerialQueue } from '../../../runtime/async/serial-queue.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { ConfigurationError } from '../../../runtime/configuration/configuration-error.ts';
import { PathWatcher } from '../../../runtime/watching/path-watcher.ts';
import type { Journal } from '../../journal/journal.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import type { RecordLabel } from '../../journal/record-run.ts';
import type { Source, SourceStatus, StreamSink } from '../../source.ts';
import { PG_LOGFEBE_EVENTS, type PgLogfebeEvents } from './events.ts';
import { FebeListener } from './febe-listener.ts';
import { type ServeChange, ServeDatabase, SUBMITTED_NAME } from './serve-database.ts';
import { pgLogfebeStatus } from './status.ts';
import type { Tenant } from './tenant.ts';
import { TenantListeners } from './tenant-listeners.ts';
import { originOf } from './tenant-origin.ts';

export interface PgLogfebeSourceOptions {
  /** SERVE_DB_DIR */
  readonly serveDirectory: string;
  /** LOGPLEX_URL is set: serve records may have tokens. */
  readonly tokensAllowed: boolean;
  readonly pollIntervalMs: number;
  readonly socketMode: number;
  readonly limits?: FebeLimits;
  /** Attributes of each record of this collector. */
  readonly resource: Resource;
  /** Used by this source only: opened before the start, stopped by `close`. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/**
 * Receives records from PostgreSQL servers with the extension pg_logfebe:
 *
 *     serve database --watch, poll--> tenants --difference--> listeners --connections--> journal --> publisher
 *
 * Records are not parsed: a record is the payload of an L frame, in the format `logfebe`. The version and identity of
 * the connection are in the resource. There is one stream for each identity and socket.
 */
export class PgLogfebeSource implements Source {
  readonly name = 'pg-logfebe';
  readonly #options: PgLogfebeSourceOptions;
  readonly #events: PgLogfebeEvents;
  readonly #database: ServeDatabase;
  readonly #listeners: TenantListeners;
  readonly #writers = new Map<string, JournalWriter>();
  readonly #watcher: PathWatcher;
  /** A poll and a hint of the watcher never run at the same time. */
  readonly #polls = new SerialQueue();
  readonly #stopping = new AbortController();
  #labels = new Map<string, RecordLabel>();
  /** A cache by the version object of each connection, because each record needs a label. */
  #labelsOfConnections = new WeakMap<ServerVersion, RecordLabel>();
  #running: Promise<void> | undefined;

  constructor(options: PgLogfebeSourceOptions) {
    const { serveDirectory, tokensAllowed, logger, metrics } = options;
    this.#options = options;
    this.#events = PG_LOGFEBE_EVENTS.open({ logger, metrics, clock: options.clock });
    this.#database = new ServeDatabase({ directory: serveDirectory, tokensAllowed });
    this.#listeners = new TenantListeners({
      events: this.#events,
      createListener: (tenant) => this.#createListener(tenant),
      removed: (tenant) => this.#closeWriter(originOf(tenant)),
    });
    this.#watcher = new PathWatcher({
      paths: [join(serveDirectory, SUBMITTED_NAME)],
      clock: this.#options.clock,
      // It is submitted by a rename, so it is complete.
      debounceMs: 0,
      onHint: () => void this.#poll(),
      // The poll finds every list, only later.
      onFailure: () => {},
    });
  }

  /** Rejects with a ConfigurationError when the directory does not exist or serves.loaded is damaged. */
  async start(sink: StreamSink): Promise<void> {
    const { journal } = this.#options;
    const tenants = await this.#loaded();
    journal.attach(sink);
    await this.#apply(tenants);
    await this.#poll();
    const served = new Set(this.#writers.keys());
    for (const origin of journal.openOrigins) if (!served.has(origin)) journal.writer(origin).close();
    this.#running = this.#pollUntilStopped();
    await this.#watcher.start();
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#watcher.stop();
    await this.#running;
    await this.#polls.run(async () => {});
    await this.#listeners.close();
    this.#events.flush();
  }

  drained(): Promise<void> {
    return this.#options.journal.drained();
  }

  status(): SourceStatus {
    const { journal } = this.#options;
    return {
      ...pgLogfebeStatus(journal.status()),
      failure: journal.failure,
      listeners: this.#listeners.status(),
    };
  }

  close(deadline: AbortSignal): Promise<void> {
    return this.#options.journal.stop(deadline);
  }

  async #loaded(): Promise<readonly Tenant[]> {
    try {
      return await this.#database.load();
    } catch (error) {
      throw new ConfigurationError([{ variable: 'SERVE_DB_DIR', message: (error as Error).message }]);
    }
  }

  async #pollUntilStopped(): Promise<void> {
    const { clock, pollIntervalMs } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(pollIntervalMs, signal).catch(() => {});
      if (!signal.aborted) await this.#poll();
    }
  }

  /** Never rejects. */
  #poll(): Promise<void> {
    return this.#polls.run(() => this.#applySubmitted());
  }

  async #applySubmitted(): Promise<void> {
    for (let change = await this.#check(); change.kind !== 'none'; change = await this.#check()) {
      if (change.kind === 'accepted') await this.#apply(change.tenants);
      else this.#events.servesRejected({ reason: change.reason });
    }
    await this.#listeners.retry();
  }

  async #check(): Promise<ServeChange> {
    try {
      return await this.#database.poll();
    } catch (error) {
      this.#events.servesUnavailable({ err: error });
      return { kind: 'none' };
    }
  }

  async #apply(tenants: readonly Tenant[]): Promise<void> {
    this.#labels = new Map();
    this.#labelsOfConnections = new WeakMap();
    this.#events.servesAccepted({ tenants: tenants.length });
    await this.#listeners.apply(tenants);
  }

  #createListener(tenant: Tenant): FebeListener {
    const { socketMode, limits = FEBE_LIMITS, clock, journal } = this.#options;
    const origin = originOf(tenant);
    const writer = journal.writer(origin);
    this.#writers.set(origin, writer);
    return new FebeListener({
      tenant,
      socketMode,
      limits,
      clock,
      events: this.#events,
      // A PostgreSQL process must never wait, so a record without room is dropped and reported.
      append: (payload, version, current) => {
        const label = this.#label(current, version);
        if (writer.append(payload, label) !== 'full') return true;
        writer.drop(payload.length, label);
        return false;
      },
    });
  }

  #closeWriter(origin: string): void {
    this.#writers.get(origin)?.close();
    this.#writers.delete(origin);
  }

  #label(tenant: Tenant, version: ServerVersion): RecordLabel {
    let label = this.#labelsOfConnections.get(version);
    if (label === undefined) {
      label = this.#commonLabel(tenant, version);
      this.#labelsOfConnections.set(version, label);
    }
    return label;
  }

  /** Returns the same object for the same tenant and version: the journal compares labels by identity. */
  #commonLabel(tenant: Tenant, version: ServerVersion): RecordLabel {
    const key = `${tenant.path}\0${version.text}`;
    let label = this.#labels.get(key);
    if (label === undefined) {
      label = { format: 'logfebe', resource: resourceOf(this.#options.resource, tenant, version) };
      // A peer may send any version, so the number of remembered labels is limited.
      if (this.#labels.size >= MAX_LABELS) this.#labels = new Map();
      this.#labels.set(key, label);
    }
    return label;
  }
}

const MAX_LABELS = 65_536;

function resourceOf(base: Resource, { identity, path, name }: Tenant, { text }: ServerVersion): Resource {
  const service = name ?? identity;
  return new Map([
    ...(service === '' ? [] : ([['service.name', service]] as const)),
    ...base,
    [DB_SYSTEM, 'postgresql'],
    [POSTGRES_VERSION, text],
    [POSTGRES_IDENTITY, identity],
    [POSTGRES_SOCKET, path],
  ]);
}
