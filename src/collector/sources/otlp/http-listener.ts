import type { IncomingMessage, ServerResponse } from 'node:http';
import { protobufOfJson } from '../../../protocols/otlp/json-request.ts';
import { encodeStatus } from '../../../protocols/otlp/retry-info.ts';
import { ExportLogsServiceResponse } from '../../../records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import { BodyFault, BodyMemory, withBody } from '../requests/request-body.ts';
import type { RequestListener } from '../requests/request-listener.ts';
import { abandonBody, RequestServer } from '../requests/request-server.ts';
import { peerAddress } from '../syslog/peer-address.ts';
import { answerExport, type ExportAnswer } from './export-answer.ts';
import type { OtlpListenerOptions } from './otlp-listener.ts';

const ENCODINGS = ['gzip'] as const;
const PATH = '/v1/logs';
/** Requests of this size that are read at the same time; further ones are answered with a later retry. */
const REQUESTS_IN_MEMORY = 4;

/** OTLP over HTTP: `POST /v1/logs` with protobuf or JSON. */
export class HttpListener implements RequestListener {
  readonly #options: OtlpListenerOptions;
  readonly #memory: BodyMemory;
  readonly #server: RequestServer;

  constructor(options: OtlpListenerOptions) {
    const { configuration, listener, events, clock } = options;
    const { tls, maxConnections, maxRequestBytes, listen } = configuration;
    this.#options = options;
    this.#memory = new BodyMemory(maxRequestBytes * 2 * REQUESTS_IN_MEMORY);
    this.#server = new RequestServer({
      ...{ address: listen.address, tls, maxConnections, listener, events, clock },
      handle: (request, response) => this.#handle(request, response),
    });
  }

  get connections(): number {
    return this.#server.connections;
  }

  open(): Promise<string> {
    return this.#server.open();
  }

  close(deadline: AbortSignal): Promise<void> {
    return this.#server.close(deadline);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isJson = mediaType(request) === JSON_TYPE;
    try {
      checkRequest(request);
      send(response, isJson, await this.#answer(request, isJson));
    } catch (error) {
      if (!(error instanceof BodyFault)) throw error;
      if (error.status === 503) this.#options.events.full({ listener: this.#options.listener });
      else this.#report(request, error.message);
      abandonBody(request, response);
      sendFault(response, isJson, error);
    }
  }

  #answer(request: IncomingMessage, isJson: boolean): Promise<ExportAnswer> {
    const { configuration } = this.#options;
    const limits = { maxBytes: configuration.maxRequestBytes, memory: this.#memory, encodings: ENCODINGS };
    const peer = peerAddress(request.socket.remoteAddress) ?? '';
    return withBody(request, limits, (body) =>
      answerExport(() => (isJson ? protobufOfJson(body.toString()) : body), peer, this.#options),
    );
  }

  #report(request: IncomingMessage, reason: string): void {
    const { events, listener } = this.#options;
    events.invalid({ listener, peer: peerAddress(request.socket.remoteAddress) ?? '', reason });
  }
}

const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/x-protobuf';

function mediaType({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function checkRequest(request: IncomingMessage): void {
  const [path] = (request.url ?? '').split('?');
  if (path !== PATH) throw new BodyFault(404, `Logs are accepted at ${PATH}.`);
  if (request.method !== 'POST') throw new BodyFault(405, 'Logs are accepted with POST.');
  const type = mediaType(request);
  if (type !== JSON_TYPE && type !== PROTOBUF_TYPE)
    throw new BodyFault(415, `The content type must be ${PROTOBUF_TYPE} or ${JSON_TYPE}.`);
}

function send(response: ServerResponse, isJson: boolean, answer: ExportAnswer): void {
  if (answer.kind === 'accepted') {
    const { partialSuccess } = answer.response;
    const json = partialSuccess && {
      rejectedLogRecords: String(partialSuccess.rejectedLogRecords),
      errorMessage: partialSuccess.errorMessage,
    };
    const body = isJson
      ? JSON.stringify(json === undefined ? {} : { partialSuccess: json })
      : ExportLogsServiceResponse.encode(answer.response).finish();
    finish(response, { status: 200, isJson, body });
    return;
  }
  if (answer.kind === 'invalid') return sendFault(response, isJson, new BodyFault(400, answer.message));
  sendFault(response, isJson, new BodyFault(503, answer.message));
}

/** The body is a `google.rpc.Status`, as the specification requires. */
function sendFault(response: ServerResponse, isJson: boolean, { status, message }: BodyFault): void {
  if (status === 503) response.setHeader('retry-after', '1');
  if (status === 405) response.setHeader('allow', 'POST');
  const body = isJson ? JSON.stringify({ message }) : encodeStatus({ code: 0, message });
  finish(response, { status, isJson, body });
}

interface EncodedAnswer {
  readonly status: number;
  readonly isJson: boolean;
  readonly body: string | Uint8Array;
}

function finish(response: ServerResponse, { status, isJson, body }: EncodedAnswer): void {
  response.writeHead(status, {
    'content-type': isJson ? JSON_TYPE : PROTOBUF_TYPE,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
