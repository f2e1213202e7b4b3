import { harvestType } from './harvest/type.ts';
import { httpSourceType } from './http/type.ts';
import { journaldType } from './journald/type.ts';
import { otlpSourceType } from './otlp/type.ts';
import { pgLogfebeType } from './pg-logfebe/type.ts';
import { rabbitmqSourceType } from './rabbitmq/type.ts';
import type { SourceType } from './source-type.ts';
import { syslogType } from './syslog/type.ts';
import { tailType } from './tail/type.ts';

/** All sources, in the order of the help and the docs. */
export const sourceTypes: readonly SourceType[] = [
  tailType,
  harvestType,
  syslogType,
  journaldType,
  otlpSourceType,
  httpSourceType,
  rabbitmqSourceType,
  pgLogfebeType,
];
