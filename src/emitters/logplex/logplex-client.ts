import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { CONTENT_TYPE } from '../../protocols/logplex/limits.ts';
import type { LogplexTarget } from '../../protocols/logplex/logplex-target.ts';
import type { Clock } from '../../runtime/clock.ts';
import { productVersion } from '../../runtime/product-version.ts';
import { type Answer, STOPPED } from './classify-answer.ts';
import { Exchange, type LogplexTimeouts } from './exchange.ts';

/**
 * Uses the client of `node:http`: it accepts 100 Continue, which undici rejects. It does not follow
 * redirects.
 */
export class LogplexClient {
  readonly #options: LogplexClientOptions;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor(options: LogplexClientOptions) {
    this.#options = options;
    const keeping = { keepAlive: true, timeout: options.timeouts.idleMs, maxFreeSockets: MAX_IDLE_SOCKETS };
    this.#http = new HttpAgent(keeping);
    this.#https = new HttpsAgent({
      ...keeping,
      ...(options.ca !== undefined && { ca: options.ca }),
      rejectUnauthorized: !options.insecure,
      minVersion: 'TLSv1.2',
    });
  }

  /** Never rejects. */
  post(request: LogplexRequest, signal: AbortSignal): Promise<Answer> {
    if (signal.aborted) return Promise.resolve(STOPPED);
    return new Promise((resolve) => {
      const outgoing = this.#open(request);
      const exchange = new Exchange(outgoing, this.#options, resolve);
      const abort = () => exchange.end(STOPPED);
      signal.addEventListener('abort', abort);
      outgoing.once('close', () => signal.removeEventListener('abort', abort));
      outgoing.end(request.body);
    });
  }

  /** Closes idle connections. Aborting a request closes its connection. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #open({ target, body, messages, frameId }: LogplexRequest): ClientRequest {
    const isTls = target.protocol === 'https:';
    return (isTls ? httpsRequest : httpRequest)({
      method: 'POST',
      host: target.host,
      port: target.port,
      path: target.path,
      agent: isTls ? this.#https : this.#http,
      headers: {
        'Content-Type': CONTENT_TYPE,
        'Content-Length': body.length,
        Authorization: target.authorization,
        'Logplex-Msg-Count': messages,
        'Logplex-Frame-Id': frameId,
        'User-Agent': USER_AGENT,
      },
    });
  }
}

export interface LogplexClientOptions {
  readonly clock: Clock;
  /** PEM; undefined: the certificate authorities of Node. */
  readonly ca: string | undefined;
  /** Certificates are not verified. */
  readonly insecure: boolean;
  readonly timeouts: LogplexTimeouts;
}

export interface LogplexRequest {
  readonly target: LogplexTarget;
  readonly body: Uint8Array;
  readonly messages: number;
  /** Identical for every attempt to send the same body. */
  readonly frameId: string;
}

const USER_AGENT = `mega-collector/${productVersion()}`;
const MAX_IDLE_SOCKETS = 64;
