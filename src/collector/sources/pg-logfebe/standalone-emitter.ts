import { resolve } from 'node:path';
import type { StandaloneEmitter } from '../source-type.ts';

const LOGPLEX = 'AGGREGATOR_LOGPLEX_CONFIGURATION';

/** Sends the records of each server to the destination that the serve database has for it. */
export const standaloneEmitter: StandaloneEmitter = {
  variables: ({ SERVE_DB_DIR: directory, LOGPLEX_URL: url }) =>
    directory
      ? { [LOGPLEX]: JSON.stringify({ serve_db_dir: resolve(directory), ...(url && { logplex_url: url }) }) }
      : undefined,
  origins: {
    [`${LOGPLEX}.serve_db_dir`]: 'SERVE_DB_DIR',
    [`${LOGPLEX}.logplex_url`]: 'LOGPLEX_URL',
  },
};
