import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../../records/resource.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { HarvestEntry } from './configuration.ts';

export interface HarvestSourceOptions {
  readonly entries: readonly HarvestEntry[];
  readonly resource: Resource;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly once: boolean;
  /** Time between scans when no change is reported. */
  readonly pollMs?: number;
}
