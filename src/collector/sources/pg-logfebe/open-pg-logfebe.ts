import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { FEBE_LIMITS } from '../../../protocols/febe/febe-limits.ts';
import type { Resource } from '../../../records/resource.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import { storedStatus } from '../../journal/channel-status.ts';
import { Journal } from '../../journal/journal.ts';
import type { SourceStatus } from '../../source.ts';
import { lossRecord } from './loss-record.ts';
import { PgLogfebeSource } from './pg-logfebe-source.ts';
import { pgLogfebeStatus } from './pg-logfebe-status.ts';

const JOURNAL = 'pg-logfebe';

/** What the variables of the source say. */
export interface PgLogfebeConfig {
  readonly serveDirectory: string;
  readonly tokensAllowed: boolean;
  readonly pollIntervalMs: number;
  readonly journalMaxBytes: number;
  readonly recordLengthBytes: number;
  readonly socketMode: number;
}

export interface PgLogfebeParts {
  /** The collector's. */
  readonly stateDirectory: string;
  readonly store: StateStore;
  readonly resource: Resource;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/** The source with its journal opened; it listens when it is started. */
export async function openPgLogfebe(
  { journalMaxBytes, recordLengthBytes, ...config }: PgLogfebeConfig,
  { stateDirectory, store, resource, ...deps }: PgLogfebeParts,
): Promise<PgLogfebeSource> {
  const journal = await Journal.open({
    name: JOURNAL,
    unlabelledPrefix: 'collector_pg_logfebe_journal',
    directory: stateDirectory,
    state: store,
    maxBytes: journalMaxBytes,
    lossRecord,
    ...deps,
  });
  const limits = { ...FEBE_LIMITS, recordLengthBytes };
  return new PgLogfebeSource({ ...config, limits, resource, journal, ...deps });
}

/** What `status` tells while no collector runs. */
export function storedPgLogfebeStatus(store: StateStore): SourceStatus {
  return pgLogfebeStatus(storedStatus(store, JOURNAL));
}
