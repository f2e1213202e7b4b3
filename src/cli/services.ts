import type { AggregatorConfig } from '../aggregator/config.ts';
import type { CollectorConfig } from '../collector/config.ts';
import type { OneShotReport } from '../collector/one-shot-report.ts';
import type { Role } from '../runtime/configuration/state-directory.ts';
import type { HttpHandler } from '../runtime/http/http-contract.ts';
import type { OneShotEnd } from './one-shot/one-shot-summary.ts';
import type { Service, ServiceDependencies } from './service.ts';
import type { StandaloneConfig } from './standalone/parse-standalone-config.ts';
import type { StandaloneDependencies } from './standalone/standalone.ts';

/** The services that the commands run. Modules are loaded when needed: `collector` never loads an emitter. */
export interface Services {
  createAggregator(
    config: AggregatorConfig,
    dependencies: ServiceDependencies,
  ): Promise<Service<AggregatorConfig>>;
  createCollector(config: CollectorConfig, dependencies: ServiceDependencies): Promise<CollectorService>;
  createStandalone(
    config: StandaloneConfig,
    dependencies: StandaloneDependencies,
  ): Promise<StandaloneService>;
  openOfflineControl(
    role: Role,
    stateDirectory: string,
    dependencies: Pick<ServiceDependencies, 'logger' | 'clock'>,
  ): Promise<OfflineControl>;
}

export interface CollectorService extends Service<CollectorConfig> {
  /** For --once: resolves when all existing data is accepted. */
  drained(): Promise<void>;
  /** The data of files that was read in this run and is accepted. */
  accepted(): { readonly records: number; readonly bytes: number };
  /** For --once: the progress, also after the stop. */
  oneShotReport(): OneShotReport;
}

export interface StandaloneService extends Service<StandaloneConfig> {
  /** For --once: resolves when all existing data is delivered. */
  drained(): Promise<void>;
  /** For --once: the progress, also after the stop. */
  oneShotReport(): OneShotEnd;
}

/** The operations of a state directory that this process has opened for one command. */
export interface OfflineControl {
  readonly handle: HttpHandler;
  close(): Promise<void>;
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
  createStandalone: async (config, dependencies) => {
    const { Standalone } = await import('./standalone/standalone.ts');
    return new Standalone(config, dependencies);
  },
  openOfflineControl: async (role, stateDirectory, dependencies) => {
    if (role === 'aggregator') {
      const { openOfflineAggregatorControl } = await import('../aggregator/offline-control.ts');
      return openOfflineAggregatorControl(stateDirectory, dependencies);
    }
    const { openOfflineCollectorControl } = await import('../collector/pipeline.ts');
    return openOfflineCollectorControl(stateDirectory, dependencies);
  },
};
