import { readFile } from 'node:fs/promises';
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import { expect, test, vi } from 'vitest';
import { freePort } from '../../../../testkit/free-ports.ts';
import { inProcessPair } from '../../../support/in-process-pair.ts';
import { PATIENT } from '../../../support/opened-otlp-source.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const exporters: readonly (readonly [string, string, (port: number) => LogRecordExporter])[] = [
  ['protobuf', 'http', (port) => new ProtobufExporter({ url: `http://127.0.0.1:${port}/v1/logs` })],
  ['JSON', 'http', (port) => new JsonExporter({ url: `http://127.0.0.1:${port}/v1/logs` })],
  ['gRPC', 'grpc', (port) => new GrpcExporter({ url: `http://127.0.0.1:${port}` })],
];

test.each(exporters)(
  'logs of the OpenTelemetry SDK over %s reach the aggregator once',
  async (_, scheme, exporterTo) => {
    const pair = await inProcessPair(await temporaryDirectory());
    const port = await freePort();
    const output = JSON.stringify({ path: pair.outputPath, format: 'json' });
    const aggregator = await pair.createAggregator({ AGGREGATOR_FILE_CONFIGURATION: output });
    await aggregator.start();
    const collector = await pair.createCollector({ COLLECTOR_OTLP: `${scheme}://127.0.0.1:${port}` });
    await collector.start();
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor(exporterTo(port))] });
    const logger = provider.getLogger('shop', '1.2');
    for (let index = 0; index < 300; index++)
      logger.emit({
        severityNumber: 17,
        severityText: 'ERROR',
        body: `order ${index}`,
        attributes: { 'order.id': index, total: 9.5, tags: ['a', 'b'], express: true },
      });
    await provider.shutdown();
    const lines = async () => {
      const text = await readFile(pair.outputPath, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    };
    await vi.waitFor(async () => expect(await lines()).toHaveLength(300), PATIENT);
    const records = await lines();
    expect(new Set(records.map(({ body }) => body))).toEqual(
      new Set(Array.from({ length: 300 }, (_, index) => `order ${index}`)),
    );
    const record = records.find(({ body }) => body === 'order 7');
    expect(record).toMatchObject({
      severity: 'ERROR',
      severity_number: 17,
      format: 'otlp',
      attributes: {
        ...{ 'order.id': 7, total: 9.5, tags: ['a', 'b'], express: true },
        'otel.scope.name': 'shop',
        'otel.scope.version': '1.2',
        'telemetry.sdk.language': 'nodejs',
        'service.name': expect.stringContaining('unknown_service'),
      },
    });
    expect(record.time).toMatch(/^20\d\d-/);
  },
);
