import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { protobufOfJson } from '../../../protocols/otlp/json-request.ts';
import { encodeStatus } from '../../../protocols/otlp/retry-info.ts';
import { ExportLogsServiceResponse } from '../../../records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import { formatAddress } from '../../../runtime/configuration/address.ts';
import { peerAddress } from '../syslog/peer-address.ts';
import { CertificateReload, tlsServerOptions } from './certificate-reload.ts';
import { answerExport, type ExportAnswer } from './export-answer.ts';
import type { OtlpListener, OtlpListenerOptions } from './otlp-listener.ts';
import { BodyFault, BodyMemory, withBody } from './request-body.ts';

const PATH = '/v1/logs';
/** Requests of this size that are read at the same time; further ones are answered with a later retry. */
const REQUESTS_IN_MEMORY = 4;
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;

/** OTLP over HTTP: `POST /v1/logs` with protobuf or JSON. */
export class HttpListener implements OtlpListener {
  readonly #options: OtlpListenerOptions;
  readonly #memory: BodyMemory;
  readonly #sockets = new Set<Socket>();
  #server: Server | TlsServer | undefined;
  #reload: CertificateReload | undefined;

  constructor(options: OtlpListenerOptions) {
    this.#options = options;
    this.#memory = new BodyMemory(options.configuration.maxRequestBytes * 2 * REQUESTS_IN_MEMORY);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async open(): Promise<string> {
    const { configuration, events, listener } = this.#options;
    const { tls, maxConnections, listen } = configuration;
    const handle = (request: IncomingMessage, response: ServerResponse) =>
      void this.#handle(request, response);
    const server =
      tls === undefined
        ? createServer(SERVER_OPTIONS, handle)
        : createTlsServer({ ...SERVER_OPTIONS, ...(await tlsServerOptions(tls)) }, handle);
    server.maxConnections = maxConnections;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('tlsClientError', (error, socket) =>
      events.tlsFailed({ listener, peer: peerAddress(socket.remoteAddress) ?? '', reason: error.message }),
    );
    server.listen({ ...listen.address });
    await once(server, 'listening');
    server.on('error', (error) => events.listenFailed({ listener, reason: error.message }));
    this.#server = server;
    if (tls !== undefined) {
      const onContext = (context: Parameters<TlsServer['setSecureContext']>[0]) =>
        (server as TlsServer).setSecureContext(context);
      this.#reload = await CertificateReload.start(tls, this.#options, onContext);
    }
    const { address, port } = server.address() as AddressInfo;
    return formatAddress({ host: address, port });
  }

  async close(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await this.#reload?.stop();
    if (server === undefined) return;
    const closed = once(server, 'close');
    const cutOff = () => {
      server.closeAllConnections();
      for (const socket of this.#sockets) socket.destroy();
    };
    server.close();
    server.closeIdleConnections();
    deadline.addEventListener('abort', cutOff, { once: true });
    if (deadline.aborted) cutOff();
    await closed;
    deadline.removeEventListener('abort', cutOff);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {});
    response.on('error', () => {});
    // A client that keeps its connection would keep the listener open.
    if (this.#server === undefined) response.setHeader('connection', 'close');
    const isJson = mediaType(request) === JSON_TYPE;
    try {
      checkRequest(request);
      send(response, isJson, await this.#answer(request, isJson));
    } catch (error) {
      if (!(error instanceof BodyFault)) throw error;
      if (error.status === 503) this.#options.events.full({ listener: this.#options.listener });
      else this.#report(request, error.message);
      // The rest of the body is not read, so the connection cannot be used again.
      if (!request.complete) {
        response.setHeader('connection', 'close');
        request.resume();
      }
      sendFault(response, isJson, error);
    }
  }

  #answer(request: IncomingMessage, isJson: boolean): Promise<ExportAnswer> {
    const { configuration } = this.#options;
    const limits = { maxBytes: configuration.maxRequestBytes, memory: this.#memory };
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

const SERVER_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
};
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
