import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Amount } from '../records/amount.ts';
import { sumOf } from '../records/amount.ts';
import type { Resource } from '../records/resource.ts';
import { keepHeapSmall } from '../runtime/buffer-collection.ts';
import type { Cancel, Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';
import { formatAddress } from '../runtime/configuration/address.ts';
import { ControlServer } from '../runtime/control/control-server.ts';
import { compactHeapWhenIdle } from '../runtime/heap-compaction.ts';
import type { Health } from '../runtime/http/health.ts';
import type { HttpHandler } from '../runtime/http/http-contract.ts';
import { HttpServer } from '../runtime/http/http-server.ts';
import type { InheritedSockets } from '../runtime/inherited-sockets.ts';
import { LAYOUT_VERSION, migrateLayout } from '../storage/state/layout.ts';
import { ownStateDirectory } from '../storage/state/own-state-directory.ts';
import { readOnlyStore } from '../storage/state/read-only-store.ts';
import type { StateDirectory } from '../storage/state/state-directory.ts';
import { openStateStore, type StateStore } from '../storage/state/state-store.ts';
import { WriteHealth } from '../storage/state/write-health.ts';
import { stateProblem } from '../storage/state-problem.ts';
import { Taps } from '../tap/taps.ts';
import { awaitAggregator } from './await-aggregator.ts';
import { collectorId } from './collector-id.ts';
import type { CollectorConfig } from './config.ts';
import { nextInstance } from './next-instance.ts';
import type { OneShotReport } from './one-shot-report.ts';
import { type CollectorState, collectorHandler } from './operations.ts';
import { Publisher } from './publisher/publisher.ts';
import { spreadAddresses } from './publisher/spread-addresses.ts';
import { RemoteExplain } from './remote-explain.ts';
import type { Source } from './source.ts';
import { sourceTypes } from './sources/registry.ts';
import type { OfflineEnvironment, OfflineSource, SourceType } from './sources/source-type.ts';
import { statusReport } from './status-report.ts';
import { COLLECTOR_VARIABLES } from './variables.ts';

const LAYOUT = { role: 'collector', layoutVersion: LAYOUT_VERSION, migrate: migrateLayout } as const;
/** A stream is late when its oldest unaccepted byte is older than this. */
const LATE_MS = 60_000;
const STATE_STEP_BYTES = 16 * 1024 * 1024;

export interface CollectorDependencies {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly version: string;
  /** Sockets that systemd has opened for this process. */
  readonly inheritedSockets?: InheritedSockets | undefined;
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
 *     source of files ------------.
 *                                 +--> publisher ==gRPC==> an aggregator
 *     source of sockets - journal '
 *
 * The publisher pulls: no record is read before it can be sent. Started from the destination, stopped from
 * the source.
 */
export async function createCollector(
  config: CollectorConfig,
  deps: CollectorDependencies,
): Promise<Collector> {
  keepHeapSmall();
  return new RunningCollector(config, deps);
}

/** For a command while no collector is running: it owns the state directory until `close`. */
export async function openOfflineCollectorControl(
  stateDirectory: string,
  deps: Pick<CollectorDependencies, 'logger' | 'clock'>,
): Promise<{ readonly handle: HttpHandler; close(): Promise<void> }> {
  const directory = await ownStateDirectory(stateDirectory, LAYOUT, deps.clock);
  try {
    const state = await openStateStore(join(stateDirectory, 'state'));
    const store = readOnlyStore(state);
    const sources: OfflineSource[] = [];
    for (const type of sourceTypes) sources.push(await openOffline(type, { ...deps, store }));
    const close = async () => {
      for (const source of sources) await source.close();
      await store.close();
      await directory.release();
    };
    const forget = (path: string) => forgetIn(state, sourceTypes, path);
    return { handle: collectorHandler({ ...deps, state: () => ({ sources, forget }) }), close };
  } catch (error) {
    await directory.release();
    throw error;
  }
}

/** Returns the number of forgotten streams of these sources. */
async function forgetIn(store: StateStore, types: readonly SourceType[], path: string): Promise<number> {
  let streams = 0;
  for (const type of types) streams += (await type.forget?.(store, path)) ?? 0;
  return streams;
}

async function openOffline(type: SourceType, environment: OfflineEnvironment): Promise<OfflineSource> {
  if (type.openOffline !== undefined) return type.openOffline(environment);
  const status = await type.leftovers(environment.store);
  return { status: () => status, close: async () => {} };
}

class RunningCollector implements Collector {
  readonly failed: Promise<Error>;
  #fail: (error: Error) => void = () => {};
  readonly #config: CollectorConfig;
  readonly #deps: CollectorDependencies;
  readonly #http: HttpServer;
  #directory: StateDirectory | undefined;
  #store: StateStore | undefined;
  #publisher: Publisher | undefined;
  readonly #sources: Source[] = [];
  #control: ControlServer | undefined;
  #stopWaiting: Cancel = () => {};
  #stopCompacting: Cancel = () => {};
  #started = false;
  #broken: string | undefined;
  /** Records that the aggregator has not delivered, as last reported. */
  #undelivered: number | undefined;
  readonly #writes: WriteHealth;
  readonly #taps: Taps;
  #stopped: Promise<void> | undefined;

  constructor(config: CollectorConfig, deps: CollectorDependencies) {
    this.#config = config;
    this.#deps = deps;
    this.#taps = new Taps(deps.clock);
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
      addressVariable: COLLECTOR_VARIABLES.httpAddress.name,
      metrics: deps.metrics,
      health: () => this.health(),
      logger: deps.logger,
    });
  }

  async start(): Promise<void> {
    this.#store = await this.#openState();
    if (this.#store !== undefined) await this.#startSources(this.#store);
    await this.#serveControl();
    // A run that ends by itself serves no metrics, and its port may belong to a permanent collector.
    if (!this.#config.once) await this.#http.start();
    // A run that ends by itself is not idle before its end.
    if (!this.#config.once) this.#stopCompacting = compactHeapWhenIdle(this.#deps.clock);
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
    const resource = this.#resource();
    const publisher = await this.#createPublisher(store, resource);
    this.#publisher = publisher;
    await this.#openSources(store, resource);
    await publisher.start();
    if (this.#config.isAttended) this.#awaitAggregator(publisher);
    await this.#startAll(publisher);
  }

  async #openSources(store: StateStore, resource: Resource): Promise<void> {
    const { sources, stateDirectory, once } = this.#config;
    const environment = { ...this.#deps, stateDirectory, store, resource, once };
    for (const { type, configuration } of sources)
      this.#sources.push(await type.open(configuration, environment));
    const configured = sources.map(({ type }) => type);
    for (const type of sourceTypes) if (!configured.includes(type)) await this.#reportLeftovers(type, store);
  }

  /** A slow first scan of one source must not delay another source. Waits for all, also when one fails. */
  async #startAll(publisher: Publisher): Promise<void> {
    const starts = await Promise.allSettled(
      this.#sources.map((source) => source.start(publisher.sinkOf(source.name))),
    );
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
  }

  async #serveControl(): Promise<void> {
    // Without the lock the control socket may belong to another process.
    if (this.#directory === undefined) return;
    const { stateDirectory: directory } = this.#config;
    const handle = collectorHandler({ ...this.#deps, state: () => this.#openedState() });
    const control = new ControlServer({ ...this.#deps, directory, handle });
    await control.start();
    this.#control = control;
  }

  /** The reason when it is not open. */
  #openedState(): CollectorState | string {
    if (this.#store === undefined) return this.#broken ?? 'The collector is starting.';
    const store = this.#store;
    const publisher = this.#publisher;
    return {
      sources: this.#sources,
      forget: (path) => this.#forget(store, path),
      ...(publisher !== undefined && { publisher }),
      taps: this.#taps,
    };
  }

  /** A source that runs has its state in memory; the store has the state of the others. */
  async #forget(store: StateStore, path: string): Promise<number> {
    const running = this.#config.sources.map(({ type }) => type);
    const others = sourceTypes.filter((type) => !running.includes(type));
    let streams = await forgetIn(store, others, path);
    for (const source of this.#sources) streams += (await source.forget?.(path)) ?? 0;
    return streams;
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    this.#stopWaiting();
    this.#stopCompacting();
    await Promise.all(this.#sources.map((source) => source.stop(deadline)));
    await this.#publisher?.stop(deadline);
    // All pending batches are answered: the last checkpoints can be written now.
    await Promise.all(this.#sources.map((source) => source.close(deadline)));
    await this.#http.stop(deadline);
    await this.#control?.stop(deadline);
    this.#writes.close();
    await this.#store?.close();
    await this.#directory?.release();
  }

  async reopen(config?: CollectorConfig): Promise<void> {
    if (config?.tls !== undefined) this.#publisher?.useTls(config.tls);
  }

  async drained(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.drained()));
  }

  accepted(): Amount {
    return sumOf(this.#sources.flatMap((source) => source.accepted?.() ?? []));
  }

  oneShotReport(): OneShotReport {
    const left = this.#sources.flatMap((source) => source.left?.() ?? []);
    return {
      accepted: this.accepted(),
      remainingBytes: left.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
      left,
      lostBytes: this.#sources.reduce((sum, source) => sum + (source.lostBytes?.() ?? 0), 0),
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

  /** Reports records of a source that is no longer configured: they are not sent. */
  async #reportLeftovers(type: SourceType, store: StateStore): Promise<void> {
    const { name, enabledBy } = type;
    const { streams } = await type.leftovers(store);
    const waitingBytes = streams.reduce((sum, stream) => sum + stream.waitingBytes, 0);
    if (waitingBytes === 0) return;
    this.#deps.logger.warn(
      { source: name, waitingBytes, streams: streams.length },
      `The state directory has unsent records of the source ${name}; set ${enabledBy.join(' or ')} again to send them`,
    );
  }

  #noteUndelivered(records: number): void {
    this.#undelivered = records;
  }

  async #createPublisher(store: StateStore, resource: Resource): Promise<Publisher> {
    const { aggregatorAddresses, aggregatorOrder = 'spread', compression, tls, remoteExplain } = this.#config;
    const id = await collectorId(store);
    const listed = aggregatorAddresses.map(formatAddress);
    const remote = new RemoteExplain({ sources: () => this.#sources, clock: this.#deps.clock });
    return new Publisher({
      ...this.#deps,
      addresses: aggregatorOrder === 'listed' ? listed : spreadAddresses(listed, id),
      tls,
      compression,
      onSent: (batch, source) => this.#taps.offer(batch, source),
      ...(this.#config.once && { undelivered: (records: number) => this.#noteUndelivered(records) }),
      ...(remoteExplain !== false && { explain: (question) => remote.answer(question) }),
      status: () =>
        statusReport(
          this.#sources.map((source) => source.status()),
          { failure: this.#writes.failure },
        ),
      identity: {
        collectorId: id,
        ...(await nextInstance(store)),
        software: `mega-collector/${this.#deps.version}`,
        host: resource.get('host.name') ?? '',
      },
    });
  }
}
