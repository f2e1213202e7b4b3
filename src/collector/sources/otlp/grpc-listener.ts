import { once } from 'node:events';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { encodeStatus, STATUS_DETAILS } from '../../../protocols/otlp/retry-info.ts';
import {
  type ExportLogsServiceResponse,
  LogsServiceService,
} from '../../../records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import { formatAddress } from '../../../runtime/configuration/address.ts';
import { CertificateReload, clientCheck } from '../requests/certificate-reload.ts';
import type { RequestListener } from '../requests/request-listener.ts';
import type { ListenerTls } from '../syslog/listener-configuration.ts';
import { loadSecureContext } from '../syslog/listener-tls.ts';
import { answerExport, type ExportAnswer } from './export-answer.ts';
import type { OtlpListenerOptions } from './otlp-listener.ts';

/** Calls of one connection at the same time. */
const MAX_STREAMS = 16;

/** The bytes of a request are the input of the journal, so the message is not decoded. */
const EXPORT = {
  export: {
    ...LogsServiceService.export,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
  },
};

/**
 * OTLP over gRPC. The connections are accepted here, and not by grpc-js, which does not limit their number. grpc-js limits
 * the size of a message before and after it is inflated.
 */
export class GrpcListener implements RequestListener {
  readonly #options: OtlpListenerOptions;
  readonly #sockets = new Set<Socket>();
  #server: NetServer | undefined;
  #grpc: Server | undefined;
  #reload: CertificateReload | undefined;

  constructor(options: OtlpListenerOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async open(): Promise<string> {
    const { configuration, events, listener } = this.#options;
    const { tls, listen, maxConnections, maxRequestBytes } = configuration;
    const credentials =
      tls === undefined ? ServerCredentials.createInsecure() : await TlsCredentials.load(tls);
    const grpc = new Server({
      'grpc.max_receive_message_length': maxRequestBytes,
      'grpc.max_concurrent_streams': MAX_STREAMS,
    });
    grpc.addService(EXPORT, {
      export: (call: ServerUnaryCall<Buffer, ExportLogsServiceResponse>, callback: Callback) =>
        void this.#handle(call, callback),
    });
    const injector = grpc.createConnectionInjector(credentials);
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    });
    server.maxConnections = maxConnections;
    server.listen({ ...listen.address });
    await once(server, 'listening');
    server.on('error', (error) => events.listenFailed({ listener, reason: error.message }));
    this.#server = server;
    this.#grpc = grpc;
    if (tls !== undefined && credentials instanceof TlsCredentials)
      this.#reload = await CertificateReload.start(tls, this.#options, (context) => credentials.use(context));
    const { address, port } = server.address() as AddressInfo;
    return formatAddress({ host: address, port });
  }

  async close(deadline: AbortSignal): Promise<void> {
    const [server, grpc] = [this.#server, this.#grpc];
    this.#server = undefined;
    await this.#reload?.stop();
    if (server === undefined || grpc === undefined) return;
    const closed = once(server, 'close');
    const cutOff = () => {
      grpc.forceShutdown();
      for (const socket of this.#sockets) socket.destroy();
    };
    server.close();
    const isQuiet = new Promise<void>((resolve) => grpc.tryShutdown(() => resolve()));
    const isLate = new Promise<void>((resolve) => {
      deadline.addEventListener('abort', () => resolve(), { once: true });
      if (deadline.aborted) resolve();
    });
    await Promise.race([isQuiet, isLate]);
    cutOff();
    await closed;
  }

  async #handle(call: ServerUnaryCall<Buffer, ExportLogsServiceResponse>, callback: Callback): Promise<void> {
    const answer = await answerExport(() => call.request, call.getPeer(), this.#options);
    if (answer.kind === 'accepted') callback(null, answer.response);
    else callback(errorOf(answer));
  }
}

type Callback = sendUnaryData<ExportLogsServiceResponse>;

/** grpc-js's own `createSsl` cannot change certificates while the server is running. */
class TlsCredentials extends ServerCredentials {
  static async load(tls: ListenerTls): Promise<TlsCredentials> {
    const context = await loadSecureContext(tls);
    return new TlsCredentials(clientCheck(tls), context);
  }

  /** New connections use the new certificates. */
  use(context: Parameters<ServerCredentials['updateSecureContextOptions']>[0]): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function errorOf(answer: Exclude<ExportAnswer, { readonly kind: 'accepted' }>) {
  const { message: details } = answer;
  if (answer.kind === 'invalid') return { code: status.INVALID_ARGUMENT, details };
  if (answer.kind === 'unavailable') return { code: status.UNAVAILABLE, details };
  const code = status.RESOURCE_EXHAUSTED;
  const metadata = new Metadata();
  const encoded = encodeStatus({ code, message: details, retryAfterMs: answer.afterMs });
  metadata.set(STATUS_DETAILS, Buffer.from(encoded));
  return { code, details, metadata };
}
