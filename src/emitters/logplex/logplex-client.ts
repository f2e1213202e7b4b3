import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { CONTENT_TYPE } from '../../protocols/logplex/limits.ts';
import type { LogplexTarget } from '../../protocols/logplex/logplex-target.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { failureOf } from '../../transport/transport-failure.ts';
import { type Answer, STOPPED } from './answer.ts';

export interface LogplexClientOptions {
  readonly clock: Clock;
  /** PEM; undefined: Node's own authorities. */
  readonly ca: string | undefined;
  /** Certificates are not looked at. */
  readonly insecure: boolean;
  readonly timeouts: LogplexTimeouts;
}

export interface LogplexTimeouts {
  readonly connectMs: number;
  /** For the handshake, after the connection. */
  readonly tlsMs: number;
  /** From the first attempt to connect to the end of the answer. */
  readonly requestMs: number;
  /** A connection that has no work is closed after so long. */
  readonly idleMs: number;
}

export interface LogplexRequest {
  readonly target: LogplexTarget;
  readonly body: Uint8Array;
  readonly messages: number;
  /** The same for the same body, however often it is sent. */
  readonly frameId: string;
}

/** Node's own client: it knows what a 100 Continue is, which undici takes for a fault. Redirects it does not follow. */
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

  /** Closes idle connections; those in use are closed by the abort of their requests. */
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
        'User-Agent': 'mega-collector',
      },
    });
  }
}

const MAX_IDLE_SOCKETS = 64;
/** Of an answer's body: read, so that its connection can be used again. With more to come it is closed. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Of an answer's body: kept, for people. */
const EXCERPT_BYTES = 1024;

/** One request and its answer, with the times they may take. */
class Exchange {
  readonly #outgoing: ClientRequest;
  readonly #options: Pick<LogplexClientOptions, 'clock' | 'timeouts'>;
  readonly #resolve: (answer: Answer) => void;
  #cancelRequest: Cancel;
  #cancelConnecting: Cancel = () => {};
  #incoming: IncomingMessage | undefined;
  #text = '';
  #isEnded = false;

  constructor(
    outgoing: ClientRequest,
    options: Pick<LogplexClientOptions, 'clock' | 'timeouts'>,
    resolve: (answer: Answer) => void,
  ) {
    this.#outgoing = outgoing;
    this.#options = options;
    this.#resolve = resolve;
    const { requestMs } = options.timeouts;
    this.#cancelRequest = options.clock.after(requestMs, () => this.#timedOut('no answer', requestMs));
    outgoing.on('socket', (socket) => this.#watch(socket));
    outgoing.on('response', (incoming) => this.#receive(incoming));
    // Also after the end: nobody else listens.
    outgoing.on('error', (error) => this.end(this.#failed(error)));
    outgoing.on('close', () => this.end(this.#failed(new Error('the connection was closed'))));
  }

  /** The first end counts. A connection on which something of ours or theirs is still under way cannot be used again. */
  end(answer: Answer): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cancelRequest();
    this.#cancelConnecting();
    if (this.#incoming?.complete !== true || !this.#outgoing.writableFinished) this.#outgoing.destroy();
    this.#resolve(this.#incoming === undefined ? answer : this.#answered(this.#incoming));
  }

  #watch(socket: Socket): void {
    if (this.#isEnded || !socket.connecting) return;
    const { clock, timeouts } = this.#options;
    const { connectMs, tlsMs } = timeouts;
    this.#cancelConnecting = clock.after(connectMs, () => this.#timedOut('no connection', connectMs));
    socket.once('connect', () => {
      this.#cancelConnecting();
      if (this.#isEnded || !('encrypted' in socket)) return;
      this.#cancelConnecting = clock.after(tlsMs, () => this.#timedOut('no TLS handshake', tlsMs));
      socket.once('secureConnect', () => this.#cancelConnecting());
    });
  }

  #receive(incoming: IncomingMessage): void {
    this.#incoming = incoming;
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (this.#text.length < EXCERPT_BYTES)
        this.#text += chunk.subarray(0, EXCERPT_BYTES).toString('latin1');
      if (bytes > MAX_ANSWER_BYTES) this.end(STOPPED);
    });
    const end = () => this.end(STOPPED);
    incoming.on('end', end);
    incoming.on('error', end);
    incoming.on('close', end);
  }

  #timedOut(what: string, afterMs: number): void {
    this.end({ kind: 'unanswered', reason: `${what} within ${afterMs} ms`, wasReused: false });
  }

  #failed(error: Error): Answer {
    return { kind: 'unanswered', reason: failureOf(error).reason, wasReused: this.#outgoing.reusedSocket };
  }

  #answered({ statusCode = 0, headers }: IncomingMessage): Answer {
    return {
      kind: 'answered',
      status: statusCode,
      retryAfter: headers['retry-after'],
      text: Buffer.from(this.#text, 'latin1').toString(),
    };
  }
}
