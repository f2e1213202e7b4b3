import { createSecureContext } from 'node:tls';
import {
  ChannelCredentials,
  Client,
  compressionAlgorithms,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { retryDelayMs, STATUS_DETAILS } from '../../protocols/otlp/retry-info.ts';
import {
  type ExportLogsServiceResponse,
  LogsServiceService,
} from '../../records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import type { Clock } from '../../runtime/clock.ts';
import { productVersion } from '../../runtime/product-version.ts';
import type { TlsClientOptions } from '../../transport/socket-transport.ts';
import type { OtlpConfiguration } from './configuration.ts';
import { type ExportClient, type ExportResult, safeMessage } from './export-client.ts';
import { partialSuccessOf } from './partial-success.ts';

const MAX_ANSWER_BYTES = 64 * 1024;
/** A receiver may be wrong about its own load. */
const LARGEST_DELAY_MS = 60 * 60_000;

/** OTLP over gRPC. */
export class GrpcClient implements ExportClient {
  readonly target: string;
  readonly #configuration: OtlpConfiguration;
  readonly #clock: Clock;
  readonly #client: Client;

  constructor(configuration: OtlpConfiguration, { clock, tls }: GrpcClientOptions) {
    const { hasTls, host, port } = configuration.endpoint;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.target = `grpc://${address}`;
    this.#configuration = configuration;
    this.#clock = clock;
    this.#client = new Client(address, credentialsOf(hasTls ? (tls ?? {}) : undefined), {
      'grpc.primary_user_agent': `mega-collector/${productVersion()}`,
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc.service_config_disable_resolution': 1,
      ...(configuration.compression === 'gzip' && {
        'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
      }),
      ...(tls?.serverName !== undefined && { 'grpc.ssl_target_name_override': tls.serverName }),
    });
  }

  send(body: Buffer, signal: AbortSignal): Promise<ExportResult> {
    if (signal.aborted) return Promise.resolve(this.#retry('stopped before an answer arrived'));
    const { timeout } = this.#configuration;
    return new Promise((resolve) => {
      let reason: string | undefined;
      const call = this.#client.makeUnaryRequest(
        LogsServiceService.export.path,
        (bytes: Buffer) => bytes,
        LogsServiceService.export.responseDeserialize,
        body,
        this.#metadata(),
        (error, response) => {
          cancel();
          signal.removeEventListener('abort', abort);
          resolve(this.#result(error, response, reason));
        },
      );
      const end = (why: string) => {
        reason = why;
        call.cancel();
      };
      const abort = () => end('stopped before an answer arrived');
      const cancel = this.#clock.after(timeout, () => end(`no answer within ${timeout} ms`));
      signal.addEventListener('abort', abort);
    });
  }

  close(): void {
    this.#client.close();
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(this.#configuration.headers)) metadata.set(name, value);
    return metadata;
  }

  #result(
    error: ServiceError | null,
    response: ExportLogsServiceResponse | undefined,
    reason: string | undefined,
  ): ExportResult {
    const { headers } = this.#configuration;
    if (reason !== undefined) return this.#retry(reason);
    if (error === null) {
      const { rejected, message } =
        response === undefined ? { rejected: 0, message: '' } : partialSuccessOf(response);
      return { kind: 'accepted', rejected, message: safeMessage(message, headers) };
    }
    const text = `${status[error.code]}: ${safeMessage(error.details, headers)}`;
    const afterMs = delayOf(error);
    if (isOfContent(error, afterMs)) return { kind: 'rejected', reason: `${this.target}: ${text}` };
    return this.#retry(text, afterMs);
  }

  #retry(reason: string, afterMs?: number): ExportResult {
    return { kind: 'retry', reason: `${this.target}: ${reason}`, afterMs };
  }
}

export interface GrpcClientOptions {
  readonly clock: Clock;
  readonly tls: TlsClientOptions | undefined;
}

/**
 * The receiver never accepts this content. RESOURCE_EXHAUSTED without a delay: a message that is too large has it, and the
 * specification forbids a retry.
 */
function isOfContent({ code }: ServiceError, afterMs: number | undefined): boolean {
  return code === status.INVALID_ARGUMENT || (code === status.RESOURCE_EXHAUSTED && afterMs === undefined);
}

function delayOf({ metadata }: ServiceError): number | undefined {
  const [details] = (metadata as Metadata | undefined)?.get(STATUS_DETAILS) ?? [];
  const delay = Buffer.isBuffer(details) ? retryDelayMs(details) : undefined;
  return delay === undefined ? undefined : Math.min(delay, LARGEST_DELAY_MS);
}

function credentialsOf(tls: TlsClientOptions | undefined): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  const { ca, certificate, key } = tls;
  return ChannelCredentials.createFromSecureContext(
    createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca !== undefined && { ca }),
      ...(certificate !== undefined && { cert: certificate }),
      ...(key !== undefined && { key }),
    }),
  );
}
