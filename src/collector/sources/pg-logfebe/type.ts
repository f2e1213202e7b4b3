import { resolve } from 'node:path';
import { FEBE_LIMITS } from '../../../protocols/febe/febe-limits.ts';
import { storedStatus } from '../../journal/channel-status.ts';
import { openSourceJournal } from '../open-source-journal.ts';
import type { SourceType } from '../source-type.ts';
import { lossRecord } from './loss-record.ts';
import { standaloneEmitter } from './standalone-emitter.ts';
import { pgLogfebeStatus } from './status.ts';
import { PG_LOGFEBE_VARIABLES } from './variables.ts';

/** PostgreSQL servers that connect with the extension pg_logfebe. */
export interface PgLogfebeConfiguration {
  /** Absolute. */
  readonly serveDirectory: string;
  /** Serve records may have tokens: LOGPLEX_URL says where these are used. */
  readonly tokensAllowed: boolean;
  readonly pollIntervalMs: number;
  readonly journalMaxBytes: number;
  readonly recordLengthBytes: number;
  readonly socketMode: number;
}

const NAME = 'pg-logfebe';

export const pgLogfebeType: SourceType<PgLogfebeConfiguration, typeof PG_LOGFEBE_VARIABLES> = {
  name: NAME,
  variables: PG_LOGFEBE_VARIABLES,
  enabledBy: [PG_LOGFEBE_VARIABLES.serveDirectory.name],
  standaloneEmitter,
  parse: ({ serveDirectory, logplexUrl, ...values }) => ({
    configuration:
      serveDirectory === undefined
        ? undefined
        : { ...values, serveDirectory: resolve(serveDirectory), tokensAllowed: logplexUrl !== undefined },
  }),
  open: async ({ journalMaxBytes, recordLengthBytes, ...configuration }, environment) => {
    const { PgLogfebeSource } = await import('./pg-logfebe-source.ts');
    const journal = await openSourceJournal(
      { name: NAME, unlabelledPrefix: 'collector_pg_logfebe_journal', maxBytes: journalMaxBytes, lossRecord },
      environment,
    );
    const limits = { ...FEBE_LIMITS, recordLengthBytes };
    return new PgLogfebeSource({ ...configuration, limits, journal, ...environment });
  },
  leftovers: async (store) => pgLogfebeStatus(storedStatus(store, NAME)),
  directories: ({ serveDirectory }) => [{ what: 'the serve database', path: serveDirectory }],
};
