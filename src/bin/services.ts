import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { AggregatorConfig } from '../aggregator/config.ts';
import type { CollectorConfig } from '../collector/config.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';
import type { ControlHandlers } from '../runtime/control.ts';
import type { Role } from '../runtime/state-directory.ts';

/** A half of the pair, as the command line runs it. */
export interface Service<Config = unknown> extends Component {
  /** SIGHUP: opens output files anew, and takes the certificates of `config`, when it could be read again. */
  reopen(config?: Config): Promise<void>;
  /** Resolves with what makes going on impossible; never rejects. */
  readonly failed: Promise<Error>;
}

export interface CollectorService extends Service<CollectorConfig> {
  /** For --once: resolves when all that was there is accepted. */
  drained(): Promise<void>;
}

/** The owner of a state directory for as long as one command takes. */
export interface OfflineControl {
  readonly handlers: ControlHandlers;
  close(): Promise<void>;
}

export interface ServiceDependencies {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly stdout: NodeJS.WritableStream;
  readonly version: string;
}

/** What the commands run. Loaded when needed: `collector` never loads an emitter. */
export interface Services {
  createAggregator(
    config: AggregatorConfig,
    dependencies: ServiceDependencies,
  ): Promise<Service<AggregatorConfig>>;
  createCollector(config: CollectorConfig, dependencies: ServiceDependencies): Promise<CollectorService>;
  openOfflineControl(
    role: Role,
    stateDirectory: string,
    dependencies: Pick<ServiceDependencies, 'logger' | 'clock'>,
  ): Promise<OfflineControl>;
}

export const services: Services = {
  createAggregator: async (config, dependencies) => {
    const { createAggregator } = await import('../aggregator/pipeline.ts');
    return createAggregator(config, dependencies);
  },
  createCollector: async (config, dependencies) => {
    const { createCollector } = await import('../collector/pipeline.ts');
    return createCollector(config, dependencies);
  },
  openOfflineControl: async (role, stateDirectory, dependencies) => {
    if (role === 'aggregator') {
      const { openOfflineAggregatorControl } = await import('../aggregator/pipeline.ts');
      return openOfflineAggregatorControl(stateDirectory, dependencies);
    }
    const { openOfflineCollectorControl } = await import('../collector/pipeline.ts');
    return openOfflineCollectorControl(stateDirectory, dependencies);
  },
};
