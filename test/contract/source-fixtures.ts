import type { SourceFixture } from './source-fixture.ts';
import { harvestFixture } from './source-fixtures/harvest.ts';
import { httpSourceFixture } from './source-fixtures/http.ts';
import { journaldFixture } from './source-fixtures/journald.ts';
import { otlpSourceFixture } from './source-fixtures/otlp.ts';
import { pgLogfebeFixture } from './source-fixtures/pg-logfebe.ts';
import { rabbitmqSourceFixture } from './source-fixtures/rabbitmq.ts';
import { syslogFixture } from './source-fixtures/syslog.ts';
import { tailFixture } from './source-fixtures/tail.ts';

/** One fixture for every source in the registry. */
export const sourceFixtures: readonly SourceFixture[] = [
  tailFixture,
  harvestFixture,
  syslogFixture,
  journaldFixture,
  otlpSourceFixture,
  httpSourceFixture,
  rabbitmqSourceFixture,
  pgLogfebeFixture,
];
