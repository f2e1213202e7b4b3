import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { untilReady } from '../../testkit/product.ts';
import { POSTGRES_PROGRAMS, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { testPair } from '../support/processes.ts';

const name = 'the logs of a real PostgreSQL, tailed by a real collector';
if (POSTGRES_PROGRAMS === undefined) console.warn(`SKIPPED: ${name}: PostgreSQL is not installed`);

const FORMATS = ['postgres-csvlog', 'postgres-jsonlog'];
const ROUNDS = 4;
const PER_ROUND = 60;

interface EmittedRecord {
  readonly format: string;
  readonly body: string;
  readonly severity: string;
  readonly time: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, string>>;
}

/** Lines, quotes, separators and letters that every encoding has in its own way. */
const textOf = (number: number) => `message ${number} "quoted",\nsecond line é, \\N;\n`;

async function writeLogs(server: PostgresServer, database: string, first: number): Promise<void> {
  const statements = Array.from({ length: PER_ROUND }, (_, index) => {
    const text = textOf(first + index).replaceAll('\\', '\\\\');
    return `do $$ begin raise warning E'${text}' using detail = 'in ${database}', hint = ''; end $$;`;
  });
  await server.sql(`${statements.join('\n')}\nselect 1/0;`, { database });
}

describe.skipIf(POSTGRES_PROGRAMS === undefined)(name, () => {
  it('come out once, whole and in order, through rotation and kill -9', { timeout: 180_000 }, async () => {
    const server = await startPostgres({ log_destination: 'csvlog,jsonlog', log_timezone: 'UTC' });
    await server.sql('create database latin encoding latin1 template template0');
    const entry = (glob: string, format: string) => ({ paths: [join(server.logDirectory, glob)], format });
    const pair = await testPair({
      collectorEnv: {
        COLLECTOR_TAIL: '/no/such/file',
        COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([
          entry('pg.csv*', 'postgres-csvlog'),
          entry('pg.json*', 'postgres-jsonlog'),
        ]),
      },
      aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '20ms' },
    });
    const configuration = JSON.stringify({ path: pair.outputPath, format: 'json' });
    const startAggregator = () =>
      pair.startAggregator({ env: { AGGREGATOR_FILE_CONFIGURATION: configuration } });
    let aggregator = startAggregator();
    let collector = pair.startCollector();
    await untilReady(collector, pair.collectorHttp);
    const emitted = async (format: string) => {
      const text = await readFile(pair.outputPath, 'utf8').catch(() => '');
      const records = text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as EmittedRecord);
      return records.filter((record) => record.format === format);
    };

    let written = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const database of ['postgres', 'latin']) {
        await writeLogs(server, database, written);
        written += PER_ROUND;
      }
      if (round === 1) {
        await collector.kill();
        collector = pair.startCollector();
      }
      if (round === 2) {
        await aggregator.kill();
        aggregator = startAggregator();
      }
      for (const log of ['pg.csv', 'pg.json'])
        await rename(join(server.logDirectory, log), join(server.logDirectory, `${log}.${round}`));
      await server.sql('select pg_rotate_logfile()');
    }
    await server.stop();
    await untilReady(aggregator, pair.aggregatorHttp);

    const expected = Array.from({ length: written }, (_, number) => textOf(number));
    for (const format of FORMATS) {
      await vi.waitFor(
        async () => {
          const bodies = (await emitted(format)).map(({ body }) => body);
          expect(bodies.filter((body) => body.startsWith('message '))).toEqual(expected);
          expect(bodies.filter((body) => body === 'division by zero')).toHaveLength(ROUNDS * 2);
        },
        { timeout: 60_000, interval: 200 },
      );
      const records = await emitted(format);
      expect(records.filter(({ body }) => body === textOf(PER_ROUND))).toMatchObject([
        {
          severity: 'WARNING',
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
          attributes: {
            dbname: 'latin',
            detail: 'in latin',
            hint: '',
            state_code: '01000',
            'megacollector.read_as_latin1': true,
          },
          resource: { 'log.file.path': expect.stringContaining(server.logDirectory) },
        },
      ]);
      const ofDivision = records.find(({ body }) => body === 'division by zero');
      expect(ofDivision?.attributes).toMatchObject({ error_severity: 'ERROR', statement: 'select 1/0;' });
    }
  });
});
