import type { Pool } from 'pg';
import type { Clock } from '../../runtime/clock.ts';
import type { PostgresConfiguration } from './configuration.ts';
import type { PostgresEvents } from './events.ts';
import { beginText, inTransaction } from './in-transaction.ts';
import { type Layout, type LayoutFinding, migrate } from './migrate.ts';

/** Creates the tables if needed and checks their version. */
export class Tables {
  readonly #options: TablesOptions;
  #ready: Promise<Layout> | undefined;
  #known: LayoutFinding | undefined;

  constructor(options: TablesOptions) {
    this.#options = options;
  }

  /** Resolves immediately once the tables are known to exist. Concurrent callers share one attempt. */
  ready(): Promise<Layout> {
    this.#ready ??= this.#migrate().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /** Checks again: the tables may have been dropped or migrated to a newer version. */
  async check(): Promise<Layout> {
    this.forget();
    return await this.ready();
  }

  forget(): void {
    this.#ready = undefined;
  }

  async #migrate(): Promise<Layout> {
    const { pool, configuration, clock, events, signal } = this.#options;
    const { schema, timescale, statement_timeout } = configuration;
    const begin = beginText({
      isolation: 'read committed',
      schema,
      statementTimeoutMs: statement_timeout,
      lockTimeoutMs: statement_timeout,
    });
    const nowUnixMs = Number(clock.nowUnixNano() / 1_000_000n);
    const found = await inTransaction(
      pool(),
      { begin, timeoutMs: 2 * statement_timeout, clock, signal },
      (client) => migrate(client, { schema, timescale, nowUnixMs }),
    );
    events.reached();
    if (found.layout !== this.#known?.layout)
      events[found.remedy === undefined ? 'schemaReady' : 'schemaImprovable']({ schema, ...found });
    this.#known = found;
    return found.layout;
  }
}

export interface TablesOptions {
  readonly pool: () => Pool;
  readonly configuration: PostgresConfiguration;
  readonly clock: Clock;
  readonly events: PostgresEvents;
  readonly signal: AbortSignal;
}
