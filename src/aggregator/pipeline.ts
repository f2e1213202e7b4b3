import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { createEmitter } from '../emitters/create-emitter.ts';
import type { FilterSource } from '../emitters/filtering/filter-source.ts';
import type { SqlDatabase } from '../logstore/sql/sql-database.ts';
import { totalBytes } from '../records/ranges.ts';
import type { StreamId } from '../records/stream-id.ts';
import { repeat } from '../runtime/async/repeat.ts';
import { collectBuffersLessOften } from '../runtime/buffer-collection.ts';
import { BufferPool } from '../runtime/buffer-pool.ts';
import type { Cancel, Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';
import { formatAddress } from '../runtime/configuration/address.ts';
import { ConfigurationError } from '../runtime/configuration/configuration-error.ts';
import { ControlServer } from '../runtime/control/control-server.ts';
import type { Health, Late } from '../runtime/http/health.ts';
import { HttpServer } from '../runtime/http/http-server.ts';
import { TlsServerCredentials } from '../runtime/tls-server-credentials.ts';
import { type KnownEmitter, openQueue, type Queue } from '../storage/queue/queue.ts';
import { ownStateDirectory } from '../storage/state/own-state-directory.ts';
import type { StateDirectory } from '../storage/state/state-directory.ts';
import { stateProblem } from '../storage/state-problem.ts';
import { Taps } from '../tap/taps.ts';
import { type Api, createApi } from './api/api.ts';
import type { ApiStore, UnavailableStore } from './api/operations/api-store.ts';
import type { IntakeActivity } from './api/operations/intake-operations.ts';
import { type AggregatorConfig, type AggregatorEmitter, publishFrequencyMs } from './config.ts';
import { createEmitterChain, type EmitterChain } from './delivery/emitter-chain.ts';
import { AggregatorFilters } from './filters/aggregator-filters.ts';
import { filterOptions, liveTableDirectory } from './filters/filter-options.ts';
import { grpcIntake } from './intake/grpc/grpc-intake.ts';
import { connectionLimits } from './intake/grpc/intake-limits.ts';
import { Intakes } from './intake/intakes.ts';
import { rabbitmqIntake } from './intake/rabbitmq/rabbitmq-intake.ts';
import type { KubernetesPods } from './kubernetes/kubernetes-pods.ts';
import { lateAlerts } from './late-alerts.ts';
import { createMonitoredStore, type MonitoredStore } from './monitored-store.ts';
import { alertPager } from './notify/alert-pager.ts';
import { createNotifier } from './notify/create-notifier.ts';
import type { Notifier } from './notify/notifier.ts';
import { type OpenNotifyState, openNotifyState } from './notify/open-notify-state.ts';
import { QueuePressure } from './notify/queue-pressure.ts';
import { AGGREGATOR_LAYOUT, DEAD_LETTER_MAX_BYTES } from './offline-control.ts';
import { pageHandler } from './page/page-handler.ts';
import { LiveStatus } from './status/live-status.ts';
import { AggregatorTaps } from './taps/aggregator-taps.ts';
import { INTAKE } from './taps/emitter-places.ts';
import { tappedEmitter } from './taps/tapped-emitter.ts';
import { AGGREGATOR_VARIABLES } from './variables.ts';

const STATE_STEP_BYTES = 64 * 1024 * 1024;
const MESSAGE_MEMORY = { largestBytes: 8 * 1024 * 1024, keptBytes: 32 * 1024 * 1024 };
const DRAIN_POLL_MS = 50;
const WATCH_QUEUE_MS = 10_000;
/** An emitter is late when its oldest record is older than this and than four times the publish frequency. */
const LATE_MS = 60_000;

export interface AggregatorDependencies {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly stdout: NodeJS.WritableStream;
  readonly version: string;
}

export interface Aggregator extends Component {
  /** SIGHUP: reopens output files, and loads the certificates of a new `config`. */
  reopen(config?: AggregatorConfig): Promise<void>;
  /** Resolves when no record is queued for any emitter, or after a stop. */
  drained(): Promise<void>;
  /** How far the emitters are, also after the stop. */
  delivery(): DeliveryReport;
  /** Why the state cannot be used; undefined when it can be. */
  readonly broken: string | undefined;
  health(): Health;
}

interface ChainParts {
  readonly queue: Queue;
  readonly notifier: Notifier;
  readonly filters: AggregatorFilters;
}

export interface DeliveryReport {
  /** Queued records that the slowest emitter has not delivered. */
  readonly undeliveredRecords: number;
  /** Records in dead letters, of all emitters. */
  readonly deadLetteredRecords: number;
}

/**
 * The aggregator, in the order of the data flow:
 *
 *     intake -> queue (ledger) -> for each emitter: cursor -> batcher -> delivery -> emitter
 *
 * Started from the destination, stopped from the source. If the state cannot be opened, the process does not
 * exit, which would restart it in a loop: it stays up, is not ready, accepts no records, and reports the
 * reason.
 */
export async function createAggregator(
  config: AggregatorConfig,
  deps: AggregatorDependencies,
): Promise<Aggregator> {
  collectBuffersLessOften();
  return new RunningAggregator(config, deps);
}

class RunningAggregator implements Aggregator {
  readonly #config: AggregatorConfig;
  readonly #deps: AggregatorDependencies;
  readonly #api: Api;
  readonly #http: HttpServer;
  readonly #chains: EmitterChain[] = [];
  /** The first store among the emitters. */
  #store: MonitoredStore | undefined;
  /** undefined: plain text. */
  #credentials: TlsServerCredentials | undefined;
  #directory: StateDirectory | undefined;
  #queue: Queue | undefined;
  #notifier: Notifier | undefined;
  #notifyState: OpenNotifyState | undefined;
  #intakes: Intakes | undefined;
  #control: ControlServer | undefined;
  #filters: AggregatorFilters | undefined;
  #pods: KubernetesPods | undefined;
  #live: LiveStatus | undefined;
  readonly #taps: Taps;
  /**
   * For received messages. undefined with answers on delivery: then taps read the records of a batch after its emitter has
   * returned their memory.
   */
  readonly #messages: BufferPool | undefined;
  #cancelWatch: Cancel | undefined;
  #broken: string | undefined;
  /** As it was when the queue was closed. */
  #lastDelivery: DeliveryReport | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: AggregatorConfig, deps: AggregatorDependencies) {
    this.#config = config;
    this.#deps = deps;
    this.#taps = new Taps(deps.clock);
    if (config.acknowledge === undefined) {
      this.#messages = new BufferPool({ ...MESSAGE_MEMORY, clock: deps.clock });
    }
    this.#api = createApi({
      store: () => this.#queriedStore(),
      queue: () => this.#queue ?? this.#notOpen(),
      configuredEmitters: new Set(config.emitters.map(({ name }) => name)),
      deadLettersDiscarded: () => {
        for (const chain of this.#chains) chain.deadLettersDiscarded();
      },
      entrySkipped: (name) => this.#chains.find(({ emitter }) => emitter === name)?.tryAgain(),
      filters: () => this.#filters,
      filterStatuses: () => this.#filters?.statuses(),
      live: async () => await this.#live?.report(),
      activity: () => this.#activity(),
      taps: () => this.#aggregatorTaps(),
      token: config.httpToken,
      listenAddress: config.httpAddress,
      storeName: config.emitters.find(({ type }) => type.dialect !== undefined)?.type.dialect,
      ...deps,
    });
    this.#http = new HttpServer({
      address: config.httpAddress,
      addressVariable: AGGREGATOR_VARIABLES.httpAddress.name,
      metrics: deps.metrics,
      health: () => this.health(),
      logger: deps.logger,
      mounts: [this.#api.network],
      fallback: pageHandler({ isServed: config.servesPage !== false }),
    });
  }

  async start(): Promise<void> {
    const { stateDirectory } = this.#config;
    const queue = await this.#openState();
    this.#queue = queue;
    if (queue === undefined) {
      // Without the lock the control socket may belong to another process.
      if (this.#directory !== undefined) await this.#serveControl();
    } else {
      await this.#forgetEmitters(queue);
      const notifier = await this.#startNotifier(join(stateDirectory, 'notify'));
      await this.#startPods();
      const filters = await AggregatorFilters.open({
        ...this.#deps,
        ...filterOptions(this.#config),
        stateDirectory,
      });
      this.#filters = filters;
      const parts = { queue, notifier, filters };
      for (const emitter of this.#config.emitters) await this.#startChain(parts, emitter);
      await filters.start((name, filter) => this.#useFilter(name, filter));
      if (this.#store === undefined) resolveAlerts(notifier);
      await this.#startIntakes(queue);
      this.#live = this.#liveStatus(queue, notifier);
      await this.#serveControl();
      this.#watchQueue(queue, new QueuePressure(notifier, this.#config.queueMaxBytes, this.#deps.clock));
    }
    if (this.#config.servesHttp !== false) await this.#http.start();
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    this.#cancelWatch?.();
    await this.#pods?.stop();
    await this.#filters?.stop();
    await this.#intakes?.stop(deadline);
    await this.#store?.stop(deadline);
    await Promise.all(this.#chains.map((chain) => chain.stop(deadline)));
    await this.#notifier?.stop(deadline);
    await this.#http.stop(deadline);
    await this.#control?.stop(deadline);
    await this.#notifyState?.close();
    this.#lastDelivery = this.delivery();
    await this.#queue?.close();
    this.#messages?.clear();
    await this.#directory?.release();
  }

  async drained(): Promise<void> {
    while (this.#stopped === undefined && this.delivery().undeliveredRecords > 0)
      await this.#deps.clock.sleep(DRAIN_POLL_MS);
  }

  delivery(): DeliveryReport {
    return this.#lastDelivery ?? deliveryOf(this.#queue?.knownEmitters() ?? []);
  }

  async reopen(config?: AggregatorConfig): Promise<void> {
    for (const chain of this.#chains) chain.reopen();
    await this.#filters?.reload();
    if (config?.tls !== undefined) this.#credentials?.reload(config.tls);
  }

  health(): Health {
    const failing = this.#queue?.failing;
    const reason =
      this.#broken ??
      this.#queue?.stopped ??
      (failing === undefined ? undefined : `the last write failed: ${failing}`) ??
      (this.#intakes === undefined ? 'starting' : undefined);
    return { ready: reason === undefined, ...(reason !== undefined && { reason }), late: this.#late() };
  }

  get broken(): string | undefined {
    return this.#broken;
  }

  async #openState(): Promise<Queue | undefined> {
    const { stateDirectory, queueMaxBytes, maxStreams, whenFull } = this.#config;
    try {
      this.#directory = await ownStateDirectory(stateDirectory, AGGREGATOR_LAYOUT, this.#deps.clock);
      return await openQueue({
        ...this.#deps,
        directory: stateDirectory,
        maxBytes: queueMaxBytes,
        streamsPerCollector: maxStreams,
        whenFull,
        deadLetterMaxBytes: DEAD_LETTER_MAX_BYTES,
        stateStepBytes: STATE_STEP_BYTES,
        onUnused: (bytes) => this.#messages?.releaseAfterTurn(bytes),
      });
    } catch (error) {
      this.#broken = stateProblem(stateDirectory, error);
      if (this.#broken === undefined) throw error;
      this.#deps.logger.fatal({ stateDirectory }, `Accepting no records: ${this.#broken}`);
      return undefined;
    }
  }

  /**
   * A cursor without an emitter keeps the queue from shrinking. Unknown cursors without records are removed;
   * the operator decides about the others.
   */
  async #forgetEmitters(queue: Queue): Promise<void> {
    const configured = new Set(this.#config.emitters.map(({ name }) => name));
    const unknown = queue.knownEmitters().filter(({ name }) => !configured.has(name));
    const hasRecords = ({ queued, deadLettered }: KnownEmitter) => queued.records + deadLettered.records > 0;
    this.#refuseEmitters(unknown.filter(hasRecords));
    for (const { name } of unknown) await queue.forgetEmitter(name);
  }

  #refuseEmitters(emitters: readonly KnownEmitter[]): void {
    const problems = emitters.map(({ name, queued, deadLettered }) => ({
      variable: 'AGGREGATOR_*_CONFIGURATION',
      message:
        `the state has an emitter "${name}" (${queued.records} queued records, ${deadLettered.records} dead letters) that is not configured. ` +
        `Configure it again, or discard its records: mega-collector emitters forget ${name} --state-directory ` +
        this.#config.stateDirectory,
    }));
    if (problems.length > 0) throw new ConfigurationError(problems);
  }

  /** Before the filters, so that they begin with its table. */
  async #startPods(): Promise<void> {
    const { kubernetes: configuration, stateDirectory } = this.#config;
    if (configuration === undefined) return;
    const pods = await import('./kubernetes/kubernetes-pods.ts');
    const directory = liveTableDirectory(stateDirectory);
    const onChange = async () => await this.#filters?.reload();
    this.#pods = new pods.KubernetesPods({ ...this.#deps, configuration, directory, onChange });
    await this.#pods.start();
  }

  async #startNotifier(directory: string): Promise<Notifier> {
    this.#notifyState = await openNotifyState(directory, this.#deps.logger);
    this.#notifier = createNotifier(this.#config.notify, {
      ...this.#deps,
      state: this.#notifyState.state,
      source: hostname(),
      emitters: this.#config.emitters.map(({ name }) => name),
    });
    await this.#notifier.start();
    return this.#notifier;
  }

  async #useFilter(name: string, filter: FilterSource | undefined): Promise<void> {
    await this.#chains.find(({ emitter }) => emitter === name)?.useFilter(filter);
  }

  async #startChain({ queue, notifier, filters }: ChainParts, configured: AggregatorEmitter): Promise<void> {
    const { logger, metrics, clock } = this.#deps;
    const { name, start, type, configuration } = configured;
    const cursor = await queue.openCursor(name, start, type.returnsRecords);
    const emitterLogger = logger.child({ emitter: name });
    const emitter = await createEmitter({
      type,
      configuration,
      environment: {
        name,
        state: cursor.state,
        stateDirectory: this.#config.stateDirectory,
        nextEntry: queue.nextEntry,
        logger: emitterLogger,
        metrics,
        clock,
        stdout: this.#deps.stdout,
        filter: filters.sourceOf(name),
        onFilterErrors: (report) => filters.noteErrors(name, report),
      },
    });
    const chain = createEmitterChain({
      cursor,
      deadLetters: queue.deadLetters,
      emitter: tappedEmitter(emitter, name, this.#taps),
      settings: {
        maxRecords: this.#config.maxBatchSize,
        publishFrequencyMs: publishFrequencyMs(this.#config, configured),
        retryCount: this.#config.retryCount,
        retryDelayMs: this.#config.retryDelayMs,
        afterRetries: this.#config.afterRetries,
        groupLimits: type.groupLimits,
      },
      notifier,
      clock,
      logger: emitterLogger,
      metrics,
    });
    this.#chains.push(chain);
    await chain.start();
    if (emitter.database !== undefined) await this.#startStore(emitter.database, notifier);
  }

  /** Only the first store is queried and monitored. */
  async #startStore(database: SqlDatabase, notifier: Notifier): Promise<void> {
    if (this.#store !== undefined) return;
    this.#store = createMonitoredStore({ ...this.#deps, database, pager: alertPager(notifier) });
    await this.#store.start();
  }

  async #startIntakes(queue: Queue): Promise<void> {
    const { listenAddress, tls, acknowledge } = this.#config;
    // This process owns the state directory and the socket in it: an existing socket is a leftover of a
    // killed process.
    if ('socketPath' in listenAddress) await rm(listenAddress.socketPath, { force: true });
    this.#credentials = tls && new TlsServerCredentials(tls);
    const address = formatAddress(listenAddress);
    const addressVariable = AGGREGATOR_VARIABLES.listenAddress.name;
    const limits = connectionLimits(this.#config.maxConnections);
    const intakes = new Intakes(
      {
        ...this.#deps,
        queue,
        ledger: queue.ledger,
        messages: this.#messages,
        software: `mega-collector/${this.#deps.version}`,
        undeliveredRecords: () => this.delivery().undeliveredRecords,
        onAccepted: (batch) => this.#taps.offer(batch, INTAKE),
        whenDelivered: acknowledge === undefined ? undefined : () => queue.whenDelivered(acknowledge.emitter),
      },
      [
        grpcIntake({ address, addressVariable, credentials: this.#credentials, limits }),
        ...(this.#config.rabbitmqIntakes ?? []).map((configuration) =>
          rabbitmqIntake({ configuration, stateDirectory: this.#config.stateDirectory }),
        ),
      ],
    );
    await intakes.start();
    this.#intakes = intakes;
    this.#deps.logger.info(
      {
        address,
        tls: tls !== undefined,
        emitters: this.#chains.map((chain) => chain.emitter),
      },
      'Accepting records',
    );
  }

  #activity(): IntakeActivity | undefined {
    const [intakes, queue] = [this.#intakes, this.#queue];
    if (intakes === undefined || queue === undefined) return undefined;
    const { collectors, streams } = intakes;
    const acceptedBytes = (stream: StreamId) => totalBytes(queue.ledger.ranges(stream));
    return { collectors, streams, acceptedBytes };
  }

  #aggregatorTaps(): AggregatorTaps | undefined {
    const filters = this.#filters;
    if (filters === undefined) return undefined;
    const emitters = this.#chains.map(({ emitter }) => emitter);
    return new AggregatorTaps({
      taps: this.#taps,
      emitters,
      filterOf: (emitter) => filters.sourceOf(emitter),
    });
  }

  #liveStatus(queue: Queue, notifier: Notifier): LiveStatus {
    return new LiveStatus({
      queue,
      stateDirectory: this.#config.stateDirectory,
      emitters: () => this.#chains.map((chain) => chain.status()),
      activity: () => this.#activity(),
      health: () => this.health(),
      notifier: () => notifier.report(),
      pages: this.#config.notify !== undefined,
      clock: this.#deps.clock,
    });
  }

  async #serveControl(): Promise<void> {
    const { stateDirectory: directory } = this.#config;
    const control = new ControlServer({ ...this.#deps, directory, handle: this.#api.owner });
    await control.start();
    this.#control = control;
  }

  /** undefined: no store is configured. */
  #queriedStore(): ApiStore | UnavailableStore | undefined {
    if (this.#store !== undefined) return this.#store;
    if (!this.#config.emitters.some(({ type }) => type.dialect !== undefined)) return undefined;
    return { unavailable: this.#notOpen() };
  }

  #notOpen(): string {
    return this.#broken ?? 'The aggregator is starting.';
  }

  #late(): Late[] {
    const waits = this.#config.emitters.map((emitter) => publishFrequencyMs(this.#config, emitter));
    const lateMs = Math.max(LATE_MS, 4 * Math.max(...waits));
    const nowUnixNano = this.#deps.clock.nowUnixNano();
    const alerts = lateAlerts(this.#store?.monitor.evaluationProblems ?? [], nowUnixNano);
    const emitters = this.#chains.flatMap((chain) => {
      const { emitter, state, sinceUnixNano = nowUnixNano, oldestUndeliveredAgeMs } = chain.status();
      // An emitter whose next entry is unreadable does not know the entry's age.
      const stuckMs = Number(nowUnixNano - sinceUnixNano) / 1e6;
      const ageMs = Math.max(oldestUndeliveredAgeMs, stuckMs);
      const isLate = ageMs > lateMs || state === 'failed' || state === 'holding';
      return isLate ? [{ what: `emitter ${emitter}`, ageSeconds: Math.round(ageMs / 1000) }] : [];
    });
    return [...emitters, ...(this.#filters?.broken() ?? []), ...alerts];
  }

  /** Pages when the queue is filling up. */
  #watchQueue(queue: Queue, pressure: QueuePressure): void {
    this.#cancelWatch = repeat(this.#deps.clock, WATCH_QUEUE_MS, () => {
      const waiting = queue
        .knownEmitters()
        .map(({ name, queued }) => ({ emitter: name, bytes: queued.bytes }));
      this.#live?.sample();
      pressure.observe({ diskBytes: queue.fullness().usedBytes, waiting });
    });
  }
}

function deliveryOf(emitters: readonly KnownEmitter[]): DeliveryReport {
  return {
    undeliveredRecords: Math.max(0, ...emitters.map(({ queued }) => queued.records)),
    deadLetteredRecords: emitters.reduce((sum, { deadLettered }) => sum + deadLettered.records, 0),
  };
}

/** Without a store no monitor resolves the open incidents of its alerts. */
function resolveAlerts(notifier: Notifier): void {
  const pager = alertPager(notifier);
  for (const page of pager.open()) pager.resolved(page);
  for (const alert of pager.unevaluated()) pager.canEvaluate(alert);
}
