import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../../records/resource.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { TailEntry } from './files/tail-configuration.ts';

export interface TailSourceOptions {
  readonly entries: readonly TailEntry[];
  /** The attributes of all records of the collector, `host.name` for example. */
  readonly resource: Resource;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Read what exists at the start, and stop. */
  readonly once: boolean;
  /** The base of relative globs. */
  readonly workingDirectory?: string;
  /** Where compressed rotated files are inflated. Without it, they are not read. */
  readonly stateDirectory?: string;
  readonly limits?: Partial<TailLimits>;
  /**
   * A command reads the state while no collector runs. The next run of the collector reports what was lost.
   */
  readonly isOffline?: boolean;
}

export interface TailLimits {
  /** Maximum number of open files. */
  readonly openFiles: number;
  /** Maximum disk space of all deleted files that are held open. */
  readonly deletedBytes: number;
  /** Time between scans when no change is reported. */
  readonly pollMs: number;
}
