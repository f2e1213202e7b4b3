import { blackholeType } from './blackhole/type.ts';
import { clickhouseType } from './clickhouse/type.ts';
import { duckdbType } from './duckdb/type.ts';
import type { EmitterType } from './emitter.ts';
import { fileType } from './file/type.ts';
import { gelfType } from './gelf/type.ts';
import { logplexType } from './logplex/type.ts';
import { otlpType } from './otlp/type.ts';
import { postgresType } from './postgres/type.ts';
import { rabbitmqType } from './rabbitmq/type.ts';
import { relpType } from './relp/type.ts';
import { syslogType } from './syslog/type.ts';
import { textType } from './text/type.ts';

/** All emitter types, in the order of the help and the docs. */
export const emitterTypes: readonly EmitterType[] = [
  textType,
  duckdbType,
  postgresType,
  clickhouseType,
  fileType,
  gelfType,
  syslogType,
  relpType,
  otlpType,
  logplexType,
  rabbitmqType,
  blackholeType,
];
