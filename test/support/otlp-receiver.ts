import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { ExportLogsServiceRequest } from '../../src/records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import type { LogRecord } from '../../src/records/gen/opentelemetry/proto/logs/v1/logs.ts';

export interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** Inflated. */
  readonly body: Buffer;
}

export interface ReceiverAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** A receiver of OTLP over HTTP that accepts everything, or answers as a test wants. */
export class OtlpReceiver {
  /** Requests that were answered with a success. */
  readonly accepted: ReceivedRequest[] = [];
  readonly requests: ReceivedRequest[] = [];
  answer: (request: ReceivedRequest) => ReceiverAnswer = () => ({});
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<OtlpReceiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        const sent = Buffer.concat(chunks);
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
        const received = { headers: request.headers, path: request.url ?? '', body };
        receiver.requests.push(received);
        const { status = 200, headers = {}, body: content = '' } = receiver.answer(received);
        if (status === 200) receiver.accepted.push(received);
        response.writeHead(status, headers).end(content);
      });
    });
    const receiver = new OtlpReceiver(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get records(): readonly LogRecord[] {
    return this.accepted
      .flatMap(({ body }) => ExportLogsServiceRequest.decode(body).resourceLogs)
      .flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
  }

  get bodies(): readonly string[] {
    return this.records.map(({ body }) => (body?.value?.$case === 'stringValue' ? body.value.value : ''));
  }
}
