import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { statusMessage } from '../../protocols/otlp/retry-info.ts';
import type { Clock } from '../../runtime/clock.ts';
import { retryAfterMs } from '../../runtime/http/retry-after.ts';
import { productVersion } from '../../runtime/product-version.ts';
import type { TlsClientOptions } from '../../transport/socket-transport.ts';
import { failureOf } from '../../transport/transport-failure.ts';
import type { OtlpConfiguration } from './configuration.ts';
import { type ExportClient, type ExportResult, safeMessage } from './export-client.ts';
import { partialSuccessOfJson, partialSuccessOfProtobuf } from './partial-success.ts';

const deflate = promisify(gzip);
const MAX_ANSWER_BYTES = 64 * 1024;
const IDLE_MS = 30_000;

/** Content that the receiver never accepts. All other failures are of the receiver or the configuration. */
const CONTENT: ReadonlySet<number> = new Set([400, 413, 422]);

/** OTLP over HTTP. Does not follow redirects, which would send the headers elsewhere. */
export class HttpClient implements ExportClient {
  readonly target: string;
  readonly #configuration: OtlpConfiguration;
  readonly #contentType: string;
  readonly #clock: Clock;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(configuration: OtlpConfiguration, { clock, contentType, tls }: HttpClientOptions) {
    const { hasTls, host, port } = configuration.endpoint;
    this.target = `${hasTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#configuration = configuration;
    this.#contentType = contentType;
    this.#clock = clock;
    const keeping = { keepAlive: true, timeout: IDLE_MS };
    this.#agent = hasTls ? new HttpsAgent({ ...keeping, ...tlsOptions(tls) }) : new HttpAgent(keeping);
  }

  async send(body: Buffer, signal: AbortSignal): Promise<ExportResult> {
    const isCompressed = this.#configuration.compression === 'gzip';
    const sent = isCompressed ? await deflate(body) : body;
    const answer = await this.#post(sent, isCompressed, signal);
    return typeof answer === 'string' ? this.#retry(answer) : this.#classify(answer);
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(length: number, isCompressed: boolean): ClientRequest {
    const { hasTls, host, port, path } = this.#configuration.endpoint;
    return (hasTls ? httpsRequest : httpRequest)({
      ...{ method: 'POST', host, port, path, agent: this.#agent },
      headers: {
        'User-Agent': `mega-collector/${productVersion()}`,
        ...this.#configuration.headers,
        'Content-Type': this.#contentType,
        'Content-Length': length,
        ...(isCompressed && { 'Content-Encoding': 'gzip' }),
      },
    });
  }

  /** A text is the reason why there is no answer. */
  #post(body: Buffer, isCompressed: boolean, signal: AbortSignal): Promise<HttpAnswer | string> {
    if (signal.aborted) return Promise.resolve(STOPPED);
    const { timeout } = this.#configuration;
    return new Promise((resolve) => {
      const request = this.#open(body.length, isCompressed);
      const end = (answer: HttpAnswer | string) => {
        cancel();
        signal.removeEventListener('abort', abort);
        if (typeof answer === 'string') request.destroy();
        resolve(answer);
      };
      const abort = () => end(STOPPED);
      const cancel = this.#clock.after(timeout, () => end(`no answer within ${timeout} ms`));
      signal.addEventListener('abort', abort);
      request.on('error', (error) => end(failureOf(error).reason));
      request.on('response', (response) => void readAnswer(response).then(end));
      request.end(body);
    });
  }

  #retry(reason: string, afterMs?: number): ExportResult {
    return { kind: 'retry', reason: `${this.target}: ${reason}`, afterMs };
  }

  #classify({ status, retryAfter, bytes }: HttpAnswer): ExportResult {
    const isJson = this.#contentType === 'application/json';
    const { headers } = this.#configuration;
    if (status >= 200 && status < 300) {
      const { rejected, message } = isJson ? partialSuccessOfJson(bytes) : partialSuccessOfProtobuf(bytes);
      return { kind: 'accepted', rejected, message: safeMessage(message, headers) };
    }
    const text = (isJson ? undefined : statusMessage(bytes)) ?? bytes.toString();
    const excerpt = safeMessage(text, headers);
    const reason = `answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}`;
    if (CONTENT.has(status)) return { kind: 'rejected', reason: `${this.target} ${reason}` };
    return this.#retry(reason, retryAfterMs(retryAfter, Number(this.#clock.nowUnixNano() / 1_000_000n)));
  }
}

export interface HttpClientOptions {
  readonly clock: Clock;
  readonly contentType: string;
  readonly tls: TlsClientOptions | undefined;
}

interface HttpAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The first bytes of the body. */
  readonly bytes: Buffer;
}

const STOPPED = 'stopped before an answer arrived';

/** Reads only the beginning of a longer body, and closes its connection. */
async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // The status has arrived: the request is answered.
  }
  const { statusCode: status = 0, headers } = response;
  return { status, retryAfter: headers['retry-after'], bytes: Buffer.concat(chunks) };
}

function tlsOptions({ ca, certificate, key, serverName }: TlsClientOptions = {}) {
  return {
    minVersion: 'TLSv1.2' as const,
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}
