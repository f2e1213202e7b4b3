import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Aggregator, createAggregator } from '../../aggregator/pipeline.ts';
import { NOTHING_READ } from '../../collector/one-shot-report.ts';
import { type Collector, createCollector } from '../../collector/pipeline.ts';
import type { Cancel } from '../../runtime/clock.ts';
import { openSocketPath, type SocketPath } from '../../runtime/control/socket-path.ts';
import type { OneShotEnd } from '../one-shot/one-shot-summary.ts';
import type { Service, ServiceDependencies } from '../service.ts';
import { awaitDelivery } from './await-delivery.ts';
import { deliveryTimeoutMs } from './delivery-timeout-ms.ts';
import type { StandaloneConfig } from './parse-standalone-config.ts';

const SOCKET_NAME = 'standalone.sock';
/** The longest time that a timer of Node can wait. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Both halves in one process. They work exactly as in two processes: the collector sends records by gRPC over a
 * Unix socket in the aggregator's state directory, which is private and has one owner.
 *
 *     collector ==gRPC, standalone.sock==> aggregator
 */
export class Standalone implements Service<StandaloneConfig> {
  readonly failed: Promise<Error>;
  readonly #config: StandaloneConfig;
  readonly #dependencies: StandaloneDependencies;
  #fail: (error: Error) => void = () => {};
  #socket: SocketPath | undefined;
  #collector: Collector | undefined;
  #aggregator: Aggregator | undefined;
  #deadLetteredBefore = 0;
  #stopAwaiting: Cancel = () => {};

  constructor(config: StandaloneConfig, dependencies: StandaloneDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  async start(): Promise<void> {
    const { collector, aggregator } = this.#config;
    const address = { socketPath: await this.#openSocketPath(aggregator.stateDirectory) };
    this.#aggregator = await createAggregator(
      { ...aggregator, listenAddress: address, ...(collector.once && { servesHttp: false }) },
      this.#dependencies.aggregator,
    );
    this.#collector = await createCollector(
      { ...collector, aggregatorAddresses: [address] },
      this.#dependencies.collector,
    );
    void this.#collector.failed.then(this.#fail);
    await this.#aggregator.start();
    this.#deadLetteredBefore = this.#aggregator.delivery().deadLetteredRecords;
    const { broken } = this.#aggregator;
    // A run that ends by itself must not wait for a repair.
    if (collector.once && broken !== undefined) throw new Error(broken);
    await this.#collector.start();
    if (collector.once) this.#awaitDelivery(this.#aggregator);
  }

  #awaitDelivery(aggregator: Aggregator): void {
    const timeoutMs = deliveryTimeoutMs(this.#config);
    if (timeoutMs === undefined) return;
    this.#stopAwaiting = awaitDelivery({
      report: () => this.oneShotReport(),
      lateEmitters: () => aggregator.health().late.map(({ what }) => what),
      clock: this.#dependencies.aggregator.clock,
      timeoutMs,
      fail: this.#fail,
    });
  }

  /** If the directory cannot be created, the aggregator reports the reason and nothing listens at the path. */
  async #openSocketPath(directory: string): Promise<string> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      this.#socket = await openSocketPath(directory, SOCKET_NAME);
      return this.#socket.path;
    } catch {
      return join(directory, SOCKET_NAME);
    }
  }

  /** Stops the collector within its own shutdown timeout; the aggregator has the remaining time. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopAwaiting();
    const { shutdownTimeoutMs } = this.#config.collector;
    const ofCollector = AbortSignal.timeout(Math.min(Math.ceil(shutdownTimeoutMs), LONGEST_TIMEOUT_MS));
    await this.#collector?.stop(AbortSignal.any([deadline, ofCollector]));
    await this.#aggregator?.stop(deadline);
    await this.#socket?.close();
    this.#socket = undefined;
  }

  async reopen(config?: StandaloneConfig): Promise<void> {
    await this.#aggregator?.reopen(config?.aggregator);
    await this.#collector?.reopen(config?.collector);
  }

  /** The emitters are in the same process, so their current state replaces the last report to the collector. */
  oneShotReport(): OneShotEnd {
    const delivery = this.#aggregator?.delivery();
    return {
      ...(this.#collector?.oneShotReport() ?? NOTHING_READ),
      undeliveredRecords: delivery?.undeliveredRecords,
      rejectedRecords: Math.max(0, (delivery?.deadLetteredRecords ?? 0) - this.#deadLetteredBefore),
    };
  }

  /** For --once: resolves when the emitters have delivered everything. */
  async drained(): Promise<void> {
    await this.#collector?.drained();
    await this.#aggregator?.drained();
  }
}

export interface StandaloneDependencies {
  readonly collector: ServiceDependencies;
  readonly aggregator: ServiceDependencies;
}
