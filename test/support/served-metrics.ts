import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { clickhouseType } from '../../src/emitters/clickhouse/type.ts';
import { createInnerEmitter } from '../../src/emitters/create-emitter.ts';
import { duckdbType } from '../../src/emitters/duckdb/type.ts';
import type { EmitterType } from '../../src/emitters/emitter.ts';
import { postgresType } from '../../src/emitters/postgres/type.ts';
import { createMonitor } from '../../src/monitoring/create-monitor.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { capturedLogger } from './captured-logger.ts';
import { emitterEnvironment } from './emitter-environment.ts';
import { inProcessPair } from './in-process-pair.ts';

/**
 * The metrics of running halves with every emitter and every source. No destination but files is reachable.
 * The stores are only created, because their threads cannot load TypeScript without help.
 */
export async function servedMetrics(directory: string): Promise<string> {
  const pair = await inProcessPair(directory);
  const serves = join(directory, 'serves');
  const uploads = join(directory, 'uploads');
  for (const each of [serves, uploads]) await mkdir(each);
  await (await pair.createAggregator(EMITTERS)).start();
  const sources = {
    SERVE_DB_DIR: serves,
    COLLECTOR_HARVEST: JSON.stringify([{ path: uploads }]),
    COLLECTOR_SYSLOG: 'tcp://:0',
    COLLECTOR_JOURNALD_CONFIGURATION: JSON.stringify([{ command: join(directory, 'missing') }]),
    COLLECTOR_OTLP: 'http://:0',
    COLLECTOR_HTTP: 'http://:0',
    COLLECTOR_RABBITMQ_CONFIGURATION: '[{"address": "amqp://127.0.0.1:9", "queue": "logs"}]',
  };
  await (await pair.createCollector(sources)).start();
  const texts = [pair.aggregatorHttp, pair.collectorHttp].map(async (address) =>
    (await fetch(`http://${address}/metrics`)).text(),
  );
  const processes = ['aggregator_', 'collector_'].map((prefix) =>
    createMetrics({ prefix, version: '0.0.0' }).metrics(),
  );
  return (await Promise.all([...texts, ...processes, storeMetrics()])).join('\n');
}

const EMITTERS = {
  AGGREGATOR_BLACKHOLE_CONFIGURATION: '{}',
  AGGREGATOR_GELF_CONFIGURATION: '{"address": "tcp://127.0.0.1:9"}',
  AGGREGATOR_LOGPLEX_CONFIGURATION: '{"url": "http://token:t.0@127.0.0.1:9/logs"}',
  AGGREGATOR_RABBITMQ_CONFIGURATION: '{"address": "amqp://127.0.0.1:9", "queue": "logs"}',
  AGGREGATOR_RABBITMQ_INTAKE_CONFIGURATION: '{"address": "amqp://127.0.0.1:9", "queue": "logs"}',
  AGGREGATOR_OTLP_CONFIGURATION: '{"endpoint": "http://127.0.0.1:9"}',
  AGGREGATOR_RELP_CONFIGURATION: '{"address": "relp://127.0.0.1:9"}',
  AGGREGATOR_SYSLOG_CONFIGURATION: '{"address": "tcp://127.0.0.1:9"}',
  AGGREGATOR_KUBERNETES_CONFIGURATION: '{"token_file": "/nonexistent"}',
  AGGREGATOR_NOTIFY_CONFIGURATION: JSON.stringify({
    ...{ integration_key: '0'.repeat(32), incident_key: 'test', identifier: 'test' },
    server: '127.0.0.1:9',
  }),
};

/** The metrics of emitters that have a thread, and of the monitor, which needs one of them. */
async function storeMetrics(): Promise<string> {
  const metrics = new Registry();
  await createStore(duckdbType, '{}', metrics);
  await createStore(postgresType, '{"url": "postgresql://logs@127.0.0.1:9/logs"}', metrics);
  await createStore(clickhouseType, '{"url": "http://127.0.0.1:9"}', metrics);
  const database = { dialect: 'duckdb' as const, run: () => Promise.reject(new Error('not opened')) };
  const ignore = () => {};
  const pager = {
    ...{ firing: ignore, resolved: ignore, cannotEvaluate: ignore, canEvaluate: ignore },
    ...{ open: () => [], unevaluated: () => [] },
  };
  const { logger } = capturedLogger();
  createMonitor({ database, clock: systemClock, logger, metrics, pager, holder: 'test' });
  return metrics.metrics();
}

async function createStore<Configuration>(
  type: EmitterType<Configuration>,
  text: string,
  metrics: Registry,
): Promise<void> {
  const [configured] = type.parse(text);
  const environment = emitterEnvironment({ metrics });
  await createInnerEmitter({
    type: type as EmitterType,
    configuration: configured?.configuration,
    environment,
  });
}
