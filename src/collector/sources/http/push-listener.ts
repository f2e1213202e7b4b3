import type { IncomingMessage, ServerResponse } from 'node:http';
import { PEER_ADDRESS } from '../../../formats/connection-attributes.ts';
import { PushFault } from '../../../protocols/http-push/push-fault.ts';
import type { Resource } from '../../../records/resource.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { errorMessage } from '../../../runtime/error-message.ts';
import { BodyFault, BodyMemory, withBody } from '../requests/request-body.ts';
import type { RequestListener } from '../requests/request-listener.ts';
import { abandonBody, RequestServer } from '../requests/request-server.ts';
import { peerAddress } from '../syslog/peer-address.ts';
import type { HttpSourceEvents } from './events.ts';
import type { HttpListenerConfiguration } from './listener-configuration.ts';
import { protocolsOf } from './protocols-of.ts';
import type { PushIntake } from './push-intake.ts';
import type { PushAnswer, PushProtocol, PushRequest } from './push-protocol.ts';
import { Tokens, tokensOf } from './tokens.ts';

/** Requests of this size that are read at the same time; further ones are answered with a later retry. */
const REQUESTS_IN_MEMORY = 4;

export interface PushListenerOptions {
  readonly configuration: HttpListenerConfiguration;
  /** Its name in metrics. */
  readonly listener: string;
  readonly intake: PushIntake;
  readonly events: HttpSourceEvents;
  readonly clock: Clock;
}

/** Listens at one address for requests of all protocols. The path of a request selects the protocol. */
export class PushListener implements RequestListener {
  readonly #options: PushListenerOptions;
  readonly #memory: BodyMemory;
  readonly #server: RequestServer;
  readonly #protocolOf: (request: PushRequest) => PushProtocol;
  #tokens: Tokens | undefined;

  constructor(options: PushListenerOptions) {
    const { configuration, listener, events, clock } = options;
    const { tls, maxConnections, maxRequestBytes, listen } = configuration;
    this.#options = options;
    this.#memory = new BodyMemory(maxRequestBytes * 2 * REQUESTS_IN_MEMORY);
    this.#protocolOf = protocolsOf(configuration);
    this.#server = new RequestServer({
      ...{ address: listen.address, tls, maxConnections, listener, events, clock },
      handle: (request, response) => this.#handle(request, response),
    });
  }

  get connections(): number {
    return this.#server.connections;
  }

  async open(): Promise<string> {
    const { configuration, listener, events, clock } = this.#options;
    const { tokenFile: path } = configuration;
    if (path !== undefined) this.#tokens ??= await Tokens.load({ path, listener, events, clock });
    return this.#server.open();
  }

  async close(deadline: AbortSignal): Promise<void> {
    await this.#tokens?.stop();
    await this.#server.close(deadline);
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = requestOf(message);
    const protocol = this.#protocolOf(request);
    let answer: PushAnswer;
    try {
      this.#authorize(message, request, protocol);
      answer = await this.#answer(message, request, protocol);
    } catch (error) {
      const fault = faultOf(error);
      this.#report(fault, request, protocol);
      abandonBody(message, response);
      answer = protocol.fault(fault);
      if (fault.status === 503) response.setHeader('retry-after', '1');
      if (answer.status === 401) response.setHeader('www-authenticate', 'Basic realm="mega-collector"');
      if (fault.status === 405) response.setHeader('allow', 'POST');
    }
    send(response, answer);
  }

  #authorize(message: IncomingMessage, request: PushRequest, protocol: PushProtocol): void {
    const tokens = this.#tokens;
    if (tokens === undefined || protocol.isPublic(request)) return;
    const inQuery = protocol.tokenOf?.(request);
    const given = tokensOf(message) ?? (inQuery === undefined ? undefined : [inQuery]);
    if (given === undefined) throw new BodyFault(401, 'A token is required.');
    if (!given.some((each) => tokens.includes(each))) throw new BodyFault(403, 'The token is not valid.');
  }

  #answer(message: IncomingMessage, request: PushRequest, protocol: PushProtocol): Promise<PushAnswer> {
    const { configuration, intake } = this.#options;
    const { encodings, name } = protocol;
    const limits = {
      ...{ maxBytes: configuration.maxRequestBytes, memory: this.#memory, encodings },
      defaultEncoding: protocol.defaultEncoding?.(request),
    };
    return withBody(message, limits, (body) =>
      protocol.answer(request, body, (records) => intake.store(records, name)),
    );
  }

  #report(
    { status, message: reason }: BodyFault,
    { peer }: PushRequest,
    { name: protocol }: PushProtocol,
  ): void {
    const { events, listener } = this.#options;
    const event = { listener, protocol, peer: peer.get(PEER_ADDRESS) ?? '', reason };
    if (status === 503) events.full(event);
    else if (status === 401 || status === 403) events.unauthorized(event);
    else if (status === 500) events.failed(event);
    else events.invalid(event);
  }
}

function requestOf({ url = '', method = '', headers, socket }: IncomingMessage): PushRequest {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const address = peerAddress(socket.remoteAddress);
  return {
    ...{ method, headers },
    path: path.replace(/^\/{2,}/, '/').replace(/\/$/, ''),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark)),
    mediaType: (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
    peer: peerResource(address),
  };
}

/** The same object for the same client: most requests come from a few. */
let last: { readonly address: string | undefined; readonly peer: Resource } = {
  address: undefined,
  peer: new Map(),
};

function peerResource(address: string | undefined): Resource {
  if (address !== last.address)
    last = { address, peer: new Map(address === undefined ? [] : [[PEER_ADDRESS, address]]) };
  return last.peer;
}

/** A request must not end the process, so an unexpected error is an answer and an event. */
function faultOf(error: unknown): BodyFault {
  if (error instanceof BodyFault) return error;
  if (error instanceof PushFault) return new BodyFault(400, error.message);
  return new BodyFault(500, errorMessage(error));
}

function send(response: ServerResponse, { status, body, type, headers }: PushAnswer): void {
  response.writeHead(status, {
    ...headers,
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }),
  });
  response.end(body);
}
