import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Aggregator, createAggregator } from '../../aggregator/pipeline.ts';
import { NOTHING_READ } from '../../collector/one-shot-report.ts';
import { type Collector, createCollector } from '../../collector/pipeline.ts';
import { openSocketPath, type SocketPath } from '../../runtime/control/socket-path.ts';
import type { OneShotEnd } from '../one-shot/one-shot-summary.ts';
import type { Service, ServiceDependencies } from '../service.ts';
import type { StandaloneConfig } from './standalone-configuration.ts';

export interface StandaloneDependencies {
  readonly collector: ServiceDependencies;
  readonly aggregator: ServiceDependencies;
}

const SOCKET_NAME = 'standalone.sock';
/** What timers of Node can wait. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Both halves in one process, exactly as they are in two: what goes from one to the other is gRPC over a Unix socket in
 * the aggregator's state directory, which is private and has one owner.
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
    void this.#aggregator.failed.then(this.#fail);
    void this.#collector.failed.then(this.#fail);
    await this.#aggregator.start();
    this.#deadLetteredBefore = this.#aggregator.delivery().deadLetteredRecords;
    const { broken } = this.#aggregator;
    // A run that is to end must not wait for a repair.
    if (collector.once && broken !== undefined) throw new Error(broken);
    await this.#collector.start();
  }

  /** Without the directory the aggregator reports the reason, and nothing listens at the path. */
  async #openSocketPath(directory: string): Promise<string> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      this.#socket = await openSocketPath(directory, SOCKET_NAME);
      return this.#socket.path;
    } catch {
      return join(directory, SOCKET_NAME);
    }
  }

  /** The collector first, within its own time; the aggregator has what is left. */
  async stop(deadline: AbortSignal): Promise<void> {
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

  /** The emitters are in the same process: what the collector was told when it sent its last batch is old. */
  oneShotReport(): OneShotEnd {
    const delivery = this.#aggregator?.delivery();
    return {
      ...(this.#collector?.oneShotReport() ?? NOTHING_READ),
      undeliveredRecords: delivery?.undeliveredRecords,
      rejectedRecords: Math.max(0, (delivery?.deadLetteredRecords ?? 0) - this.#deadLetteredBefore),
    };
  }

  /** For --once: also what the emitters have to do with it. */
  async drained(): Promise<void> {
    await this.#collector?.drained();
    await this.#aggregator?.drained();
  }
}
