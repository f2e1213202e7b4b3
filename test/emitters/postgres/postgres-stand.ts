import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import type { EmitterEnvironment } from '../../../src/emitters/emitter.ts';
import { parsePostgresConfiguration } from '../../../src/emitters/postgres/configuration.ts';
import { PostgresEmitter } from '../../../src/emitters/postgres/postgres-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { STORE_ROLE } from '../../../testkit/documented-database.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { POSTGRES_PROGRAMS, type PostgresServer, startPostgres } from '../../support/postgres-server.ts';

export const never: AbortSignal = new AbortController().signal;
export const soon = () => AbortSignal.timeout(5000);

/** Why suites that need a server are skipped, as a part of their title; empty: there is one. */
export const MISSING = POSTGRES_PROGRAMS === undefined ? ' (skipped: PostgreSQL is not installed)' : '';

/** A server for the tests of one file, and for each test a database of its own. */
export class PostgresStand {
  #server: PostgresServer | undefined;
  #databases = 0;

  /** To be called where suites are described. */
  static forSuite(settings: Readonly<Record<string, string>> = {}): PostgresStand {
    const stand = new PostgresStand();
    const cleanUps: (() => Promise<void>)[] = [];
    beforeAll(async () => {
      if (MISSING !== '') return;
      stand.#server = await startPostgres(settings, (cleanUp) => void cleanUps.push(cleanUp));
      await stand.server.createStoreDatabase('logs');
    });
    afterAll(async () => {
      for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    });
    return stand;
  }

  get server(): PostgresServer {
    if (this.#server === undefined) throw new Error('There is no server.');
    return this.#server;
  }

  async createDatabase(): Promise<string> {
    const name = `logs_${++this.#databases}`;
    await this.server.createStoreDatabase(name);
    return name;
  }

  /** For looking, as superuser. */
  async client(database: string): Promise<Client> {
    const client = new Client({ ...this.address, database, user: 'postgres' });
    client.on('error', () => {});
    await client.connect();
    onTestFinished(() => client.end().catch(() => {}));
    return client;
  }

  /** Resolves when a transaction of this database waits for a row that another has locked. */
  async somebodyWaits(database: string): Promise<void> {
    const client = await this.client(database);
    const isWaiting = async () => {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and wait_event in ('tuple', 'transactionid')
           and datname = current_database()`,
      );
      return rowCount !== 0;
    };
    await expect.poll(isWaiting, { timeout: 10_000, interval: 10 }).toBe(true);
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: this.server.socketDirectory, port: this.server.port };
  }

  /** Started, and stopped after the test. */
  async emitter(
    settings: Readonly<Record<string, unknown>>,
    overrides: Partial<EmitterEnvironment> = {},
  ): Promise<PostgresEmitter & Pick<ReturnType<typeof emitterEnvironment>, 'logs' | 'metrics'>> {
    const value = JSON.stringify({ ...this.address, user: STORE_ROLE, ...settings });
    const [configured] = parsePostgresConfiguration(value);
    if (configured === undefined) throw new Error('No emitter is configured.');
    const environment = emitterEnvironment({ name: 'postgres', clock: systemClock, ...overrides });
    const emitter = new PostgresEmitter(configured.configuration, environment);
    onTestFinished(() => emitter.stop(soon()));
    await emitter.start();
    return Object.assign(emitter, { logs: environment.logs, metrics: environment.metrics });
  }
}

/** Emits each in a batch of its own, and flushes. */
export async function store(emitter: PostgresEmitter, ...batches: readonly RecordBatch[]) {
  for (const batch of batches) await emitter.emit(batchOf([batch]));
  return await emitter.flush(never);
}
