import type { EmitterFixture } from './emitter-fixture.ts';
import { blackholeFixture } from './emitter-fixtures/blackhole.ts';
import { clickhouseFixture } from './emitter-fixtures/clickhouse.ts';
import { duckdbFixture } from './emitter-fixtures/duckdb.ts';
import { fileFixture } from './emitter-fixtures/file.ts';
import { gelfFixture } from './emitter-fixtures/gelf.ts';
import { logplexFixture } from './emitter-fixtures/logplex.ts';
import { otlpFixture } from './emitter-fixtures/otlp.ts';
import { postgresFixture } from './emitter-fixtures/postgres.ts';
import { rabbitmqFixture } from './emitter-fixtures/rabbitmq.ts';
import { relpFixture } from './emitter-fixtures/relp.ts';
import { syslogFixture } from './emitter-fixtures/syslog.ts';
import { textFixture } from './emitter-fixtures/text.ts';

/** One fixture for every type in the registry. */
export const emitterFixtures: readonly EmitterFixture[] = [
  textFixture,
  duckdbFixture,
  postgresFixture,
  clickhouseFixture,
  fileFixture,
  gelfFixture,
  syslogFixture,
  relpFixture,
  otlpFixture,
  logplexFixture,
  rabbitmqFixture,
  blackholeFixture,
];
