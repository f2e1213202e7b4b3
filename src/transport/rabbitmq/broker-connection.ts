import { isIP } from 'node:net';
import type { ChannelModel, Options, SocketOptions } from 'amqplib';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Clock } from '../../runtime/clock.ts';
import { productVersion } from '../../runtime/product-version.ts';
import type { TlsClientOptions } from '../socket-transport.ts';
import type { TransportFailure } from '../transport.ts';
import { failureOf, timedOut } from '../transport-failure.ts';
import { type BrokerAddress, brokerAddressText } from './broker-address.ts';

/** A broker that does not answer for two intervals is gone. */
const HEARTBEAT_SECONDS = 15;

export interface BrokerLogin {
  readonly addresses: readonly BrokerAddress[];
  readonly username: string | undefined;
  /** Secret. */
  readonly password: string | undefined;
  readonly tls: TlsClientOptions | undefined;
  readonly timeoutMs: number;
  /** The purpose of the connection, for the broker's list of connections. */
  readonly purpose: string;
}

export type BrokerOpening =
  | { readonly kind: 'open'; readonly connection: BrokerConnection }
  | { readonly kind: 'failed'; readonly address: string; readonly failure: TransportFailure };

/**
 * Connects to a broker of a cluster: to the one that it used last, else to the others in their order. Resolves with the
 * failure of the first address when none can be reached. Never rejects.
 */
export class BrokerConnector {
  readonly #login: BrokerLogin;
  #next = 0;

  constructor(login: BrokerLogin) {
    this.#login = login;
  }

  /** For connecting, and for the answer to a declaration. */
  get timeoutMs(): number {
    return this.#login.timeoutMs;
  }

  async open(signal: AbortSignal): Promise<BrokerOpening> {
    const { addresses } = this.#login;
    let first: BrokerOpening | undefined;
    for (let attempt = 0; attempt < addresses.length; attempt++) {
      const address = addresses[this.#next % addresses.length];
      if (address === undefined) break;
      const opening = await openConnection(address, this.#login, signal);
      if (opening.kind === 'open') return opening;
      first ??= opening;
      this.#next++;
      if (signal.aborted) break;
    }
    return first ?? { kind: 'failed', address: '', failure: { reason: 'no address' } };
  }

  /** The broker of the last connection is at fault: the next attempt begins with another one. */
  avoidLast(): void {
    this.#next++;
  }
}

async function openConnection(
  address: BrokerAddress,
  login: BrokerLogin,
  signal: AbortSignal,
): Promise<BrokerOpening> {
  const text = brokerAddressText(address);
  const failed = (failure: TransportFailure): BrokerOpening => ({ kind: 'failed', address: text, failure });
  try {
    const { connect } = await import('amqplib');
    const opening = connect(connectOptions(address, login), socketOptions(address, login));
    const model = await untilAborted(opening, signal);
    if (model !== 'aborted') return { kind: 'open', connection: new BrokerConnection(text, model) };
    void opening.then(
      (late) => late.close().catch(() => {}),
      () => {},
    );
    return failed({ reason: 'aborted' });
  } catch (error) {
    return failed(brokerFailure(error));
  }
}

function connectOptions(address: BrokerAddress, login: BrokerLogin): Options.Connect {
  return {
    protocol: address.hasTls ? 'amqps' : 'amqp',
    hostname: address.host,
    port: address.port,
    username: login.username ?? address.username ?? 'guest',
    password: login.password ?? address.password ?? 'guest',
    // The client decodes it as a part of a URL.
    vhost: encodeURIComponent(address.vhost),
    heartbeat: HEARTBEAT_SECONDS,
    frameMax: 131_072,
  };
}

function socketOptions({ host, hasTls }: BrokerAddress, login: BrokerLogin): SocketOptions {
  const name = login.tls?.serverName ?? host;
  return {
    noDelay: true,
    timeout: login.timeoutMs,
    clientProperties: {
      product: 'mega-collector',
      version: productVersion(),
      connection_name: `mega-collector: ${login.purpose}`,
    },
    ...(hasTls && {
      minVersion: 'TLSv1.2',
      ...(isIP(name) === 0 && { servername: name }),
      ...(login.tls?.ca !== undefined && { ca: login.tls.ca }),
      ...(login.tls?.certificate !== undefined && { cert: login.tls.certificate }),
      ...(login.tls?.key !== undefined && { key: login.tls.key }),
    }),
  };
}

/** One connection. When it has ended, a new one is opened. */
export class BrokerConnection {
  readonly address: string;
  readonly model: ChannelModel;
  /** Resolves with the reason when the connection ends. */
  readonly whenEnded: Promise<TransportFailure>;
  /** Why the broker accepts no messages now (an alarm of memory or disk); undefined: it accepts them. */
  blocked: string | undefined;
  ended: TransportFailure | undefined;

  constructor(address: string, model: ChannelModel) {
    this.address = address;
    this.model = model;
    let failure: TransportFailure | undefined;
    model.on('error', (error) => {
      failure ??= brokerFailure(error);
    });
    model.on('blocked', (reason) => {
      this.blocked = reason;
    });
    model.on('unblocked', () => {
      this.blocked = undefined;
    });
    this.whenEnded = new Promise((resolve) => {
      model.on('close', (error) => {
        this.ended ??= failure ?? (error === undefined ? CLOSED : brokerFailure(error));
        resolve(this.ended);
      });
    });
  }

  /** Closes the connection: in order until the deadline, then at once. */
  async close(deadline: AbortSignal): Promise<void> {
    if (this.ended !== undefined) return;
    this.ended = CLOSED;
    const closed = this.model.close().catch(() => {});
    // A blocked broker reads nothing, so an orderly close would wait for the end of its alarm.
    if (this.blocked !== undefined) return this.destroy();
    await untilAborted(closed, deadline);
    this.destroy();
  }

  /**
   * The answer of the broker to requests on a channel. A queue without a leader never answers, so the connection ends after
   * the timeout. Rejects with the reason.
   */
  async answered<T>(requests: () => Promise<T>, { clock, timeoutMs }: AnswerLimit): Promise<T> {
    const cancel = clock.after(timeoutMs, () => {
      this.ended ??= timedOut('the broker did not answer', timeoutMs);
      this.destroy();
    });
    try {
      return await requests();
    } catch (error) {
      throw this.ended === undefined ? error : new Error(this.ended.reason, { cause: error });
    } finally {
      cancel();
    }
  }

  /** Ends the connection without an answer of the broker. */
  destroy(): void {
    this.ended ??= CLOSED;
    // The client has no call for it; its socket is public in the JavaScript code.
    const { stream } = this.model.connection as { readonly stream?: { destroy(): void } };
    stream?.destroy();
  }
}

export interface AnswerLimit {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

const CLOSED: TransportFailure = { reason: 'the connection is closed' };

/** The client's texts have no user and no password, but they are long. */
export function brokerFailure(error: unknown): TransportFailure {
  const failure = failureOf(error);
  const reply = /\d{3} \([A-Z_-]+\) with message "([^"]*)"/.exec(failure.reason)?.[1];
  const reason = (reply ?? failure.reason).slice(0, MAX_REASON);
  return failure.code === undefined ? { reason } : { reason, code: failure.code };
}

const MAX_REASON = 300;
