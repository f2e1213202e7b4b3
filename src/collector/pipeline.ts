import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { Amount } from '../records/amount.ts';
import { NOTHING } from '../records/amount.ts';
import type { Resource } from '../records/resource.ts';
import { collectBuffersLessOften } from '../runtime/buffer-collection.ts';
import type { Cancel, Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';
import { formatAddress } from '../runtime/configuration/address.ts';
import { brokenControl } from '../runtime/control/broken-control.ts';
import { type ControlHandlers, serveControl } from '../runtime/control/control.ts';
import { grpcClientCredentials } from '../runtime/grpc-credentials.ts';
import type { Health } from '../runtime/http/health.ts';
import { HttpServer } from '../runtime/http/http-server.ts';
import { LAYOUT_VERSION, migrateLayout } from '../storage/state/layout.ts';
import { ownStateDirectory } from '../storage/state/own-state-directory.ts';
import { readOnlyStore } from '../storage/state/read-only-store.ts';
import type { StateDirectory } from '../storage/state/state-directory.ts';
import { openStateStore, type StateStore } from '../storage/state/state-store.ts';
import { WriteHealth } from '../storage/state/write-health.ts';
import { stateProblem } from '../storage/state-problem.ts';
import { awaitAggregator } from './await-aggregator.ts';
import { collectorId } from './collector-id.ts';
import type { CollectorConfig } from './config.ts';
import { collectorControl } from './control.ts';
import type { OneShotReport } from './one-shot-report.ts';
import { Publisher } from './publisher/publisher.ts';
import { rememberEntries, rememberedEntries } from './remembered-entries.ts';
import type { CollectorSource, SourceStatus, StreamSink } from './source.ts';
import { openPgLogfebe, storedPgLogfebeStatus } from './sources/pg-logfebe/open-pg-logfebe.ts';
import { createTailSource, type TailSource } from './sources/tail/tail-source.ts';

const LAYOUT = { role: 'collector', layoutVersion: LAYOUT_VERSION, migrate: migrateLayout } as const;
/** A stream is late when its oldest unaccepted byte is older than this. */
const LATE_MS = 60_000;
const STATE_STEP_BYTES = 16 * 1024 * 1024;

export interface CollectorDependencies {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly version: string;
}

export interface Collector extends Component {
  /** SIGHUP: loads the certificates of a new `config`. */
  reopen(config?: CollectorConfig): Promise<void>;
  /** Resolves with a fatal error; never rejects. */
  readonly failed: Promise<Error>;
  /** For --once: resolves when all data that existed at the start is accepted. */
  drained(): Promise<void>;
  /** The part of the files that was read in this run and is accepted, counting each record once. */
  accepted(): Amount;
  /** For --once: how far it is, also after the stop. */
  oneShotReport(): OneShotReport;
  health(): Health;
}

/**
 * The collector, in the order of the data flow:
 *
 *     tail ------------------.
 *                            +--> publisher ==gRPC==> an aggregator
 *     pg-logfebe -> journal -'
 *
 * The publisher pulls: no record is read before it can be sent. Started from the destination, stopped from
 * the source.
 */
export async function createCollector(
  config: CollectorConfig,
  deps: CollectorDependencies,
): Promise<Collector> {
  collectBuffersLessOften();
  return new RunningCollector(config, deps);
}

/** For a command while no collector is running: it owns the state directory until `close`. */
export async function openOfflineCollectorControl(
  stateDirectory: string,
  deps: Pick<CollectorDependencies, 'logger' | 'clock'>,
): Promise<{ readonly handlers: ControlHandlers; close(): Promise<void> }> {
  const directory = await ownStateDirectory(stateDirectory, LAYOUT, deps.clock);
  try {
    const store = readOnlyStore(await openStateStore(join(stateDirectory, 'state')));
    const tail = createTailSource({
      ...deps,
      entries: rememberedEntries(store),
      resource: new Map(),
      store,
      metrics: new Registry(),
      once: false,
      isOffline: true,
    });
    await tail.start(NOBODY);
    const close = async () => {
      await tail.stop(AbortSignal.abort());
      await tail.close();
      await store.close();
      await directory.release();
    };
    const journals = [{ status: () => storedPgLogfebeStatus(store) }];
    return { handlers: collectorControl([tail, ...journals], tail), close };
  } catch (error) {
    await directory.release();
    throw error;
  }
}

/** Scans the files without sending records. */
const NOBODY: StreamSink = { open: () => {}, wake: () => {}, close: () => {} };

class RunningCollector implements Collector {
  readonly failed: Promise<Error>;
  #fail: (error: Error) => void = () => {};
  readonly #config: CollectorConfig;
  readonly #deps: CollectorDependencies;
  readonly #http: HttpServer;
  #directory: StateDirectory | undefined;
  #store: StateStore | undefined;
  #publisher: Publisher | undefined;
  #tail: TailSource | undefined;
  #sources: readonly CollectorSource[] = [];
  #control: { close(): Promise<void> } | undefined;
  #stopWaiting: Cancel = () => {};
  #started = false;
  #broken: string | undefined;
  /** Records that the aggregator has not delivered, as last reported. */
  #undelivered: number | undefined;
  readonly #writes: WriteHealth;
  #stopped: Promise<void> | undefined;

  constructor(config: CollectorConfig, deps: CollectorDependencies) {
    this.#config = config;
    this.#deps = deps;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.#writes = new WriteHealth(deps.clock, async () => {
      const store = this.#store;
      await store?.write(() =>
        store.table<number>('probe').put('time', Number(deps.clock.nowUnixNano() / 1_000_000n)),
      );
    });
    this.#http = new HttpServer({
      address: config.httpAddress,
      metrics: deps.metrics,
      health: () => this.health(),
      logger: deps.logger,
    });
  }

  async start(): Promise<void> {
    this.#store = await this.#openState();
    if (this.#store === undefined)
      await this.#serveControl(brokenControl(['status', 'explain'], this.#broken ?? ''));
    else await this.#startSources(this.#store);
    // A run that ends by itself serves no metrics, and its port may belong to a permanent collector.
    if (!this.#config.once) await this.#http.start();
    this.#started = true;
  }

  async #openState(): Promise<StateStore | undefined> {
    const { stateDirectory, once } = this.#config;
    try {
      this.#directory = await ownStateDirectory(stateDirectory, LAYOUT, this.#deps.clock);
      return await openStateStore(join(stateDirectory, 'state'), {
        stepBytes: STATE_STEP_BYTES,
        onCommit: (failure) =>
          failure === undefined ? this.#writes.succeeded('state') : this.#writes.failed('state', failure),
      });
    } catch (error) {
      this.#broken = stateProblem(stateDirectory, error);
      if (this.#broken === undefined) throw error;
      // A run that ends by itself must not wait for a repair.
      if (once) throw new Error(this.#broken, { cause: error });
      this.#deps.logger.fatal({ stateDirectory }, `Reading no files: ${this.#broken}`);
      return undefined;
    }
  }

  async #startSources(store: StateStore): Promise<void> {
    await rememberEntries(store, this.#config.tail);
    const resource = this.#resource();
    this.#publisher = await this.#createPublisher(store, resource);
    const tail = this.#createTail(store, resource);
    this.#tail = tail;
    this.#sources = [...(await this.#openPgLogfebe(store, resource)), tail];
    await this.#publisher.start();
    if (this.#config.once || this.#config.sourceFile !== undefined) this.#awaitAggregator(this.#publisher);
    for (const source of this.#sources) await source.start(this.#publisher);
    await this.#serveControl(collectorControl(this.#sources, tail));
  }

  async #serveControl(handlers: ControlHandlers): Promise<void> {
    // Without the lock the control socket may belong to another process.
    if (this.#directory === undefined) return;
    const { stateDirectory: directory } = this.#config;
    this.#control = await serveControl({ directory, handlers, logger: this.#deps.logger });
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    this.#stopWaiting();
    await Promise.all(this.#sources.map((source) => source.stop(deadline)));
    await this.#publisher?.stop(deadline);
    // All pending batches are answered: the last checkpoints can be written now.
    await Promise.all(this.#sources.map((source) => source.close(deadline)));
    await this.#http.stop(deadline);
    await this.#control?.close();
    this.#writes.close();
    await this.#store?.close();
    await this.#directory?.release();
  }

  async reopen(config?: CollectorConfig): Promise<void> {
    if (config?.tls !== undefined) this.#publisher?.useCredentials(grpcClientCredentials(config.tls));
  }

  async drained(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.drained()));
  }

  accepted(): Amount {
    return this.#tail?.accepted() ?? NOTHING;
  }

  oneShotReport(): OneShotReport {
    const left = this.#tail?.left() ?? [];
    return {
      accepted: this.accepted(),
      remainingBytes: left.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
      left,
      lostBytes: this.#tail?.lostBytes() ?? 0,
      undeliveredRecords: this.#undelivered,
    };
  }

  health(): Health {
    const streams = this.#sources.flatMap((source) => source.status().streams);
    const late = streams.flatMap(({ origin, oldestWaitingMs = 0 }) =>
      oldestWaitingMs > LATE_MS ? [{ what: origin, ageSeconds: Math.round(oldestWaitingMs / 1000) }] : [],
    );
    const reason = this.#notReady();
    return { ready: reason === undefined, ...(reason !== undefined && { reason }), late };
  }

  #notReady(): string | undefined {
    if (!this.#started) return 'starting';
    if (this.#broken !== undefined) return this.#broken;
    const failing =
      this.#writes.failure ?? this.#sources.map((source) => source.status().failure).find(Boolean);
    return failing === undefined ? undefined : `the last write failed: ${failing}`;
  }

  #awaitAggregator(publisher: Publisher): void {
    const addresses = this.#config.aggregatorAddresses.map(formatAddress);
    const { once, aggregatorTimeoutMs } = this.#config;
    this.#stopWaiting = awaitAggregator(publisher, {
      ...this.#deps,
      addresses,
      ...(once && aggregatorTimeoutMs > 0 && { timeoutMs: aggregatorTimeoutMs, fail: this.#fail }),
    });
  }

  #resource(): Resource {
    return new Map([['host.name', hostname()], ...this.#config.resourceAttributes]);
  }

  #createTail(store: StateStore, resource: Resource): TailSource {
    const { tail: entries, once } = this.#config;
    return createTailSource({ ...this.#deps, entries, resource, store, once });
  }

  async #openPgLogfebe(store: StateStore, resource: Resource): Promise<CollectorSource[]> {
    const { pgLogfebe, stateDirectory } = this.#config;
    if (pgLogfebe === undefined) {
      this.#tellOfLeftovers(storedPgLogfebeStatus(store));
      return [];
    }
    return [await openPgLogfebe(pgLogfebe, { ...this.#deps, stateDirectory, store, resource })];
  }

  /** Reports records in the journal of a source that is no longer configured: they are not sent. */
  #tellOfLeftovers({ streams }: SourceStatus): void {
    const waitingBytes = streams.reduce((sum, stream) => sum + stream.waitingBytes, 0);
    if (waitingBytes > 0)
      this.#deps.logger.warn(
        { waitingBytes, streams: streams.length },
        'The journal has unsent records of PostgreSQL servers; set SERVE_DB_DIR again to send them',
      );
  }

  #noteUndelivered(records: number): void {
    this.#undelivered = records;
  }

  async #createPublisher(store: StateStore, resource: Resource): Promise<Publisher> {
    const { aggregatorAddresses, compression, tls } = this.#config;
    return new Publisher({
      ...this.#deps,
      addresses: aggregatorAddresses.map(formatAddress),
      credentials: grpcClientCredentials(tls),
      compression,
      ...(this.#config.once && { undelivered: (records: number) => this.#noteUndelivered(records) }),
      identity: {
        collectorId: await collectorId(store),
        instance: randomBytes(8).readBigUInt64LE(),
        software: `mega-collector/${this.#deps.version}`,
        host: resource.get('host.name') ?? '',
      },
    });
  }
}
