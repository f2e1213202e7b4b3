/**
 * A GELF client for any program.
 *
 * ```ts
 * import { GelfClient } from 'mega-collector/gelf';
 *
 * const log = new GelfClient({ address: 'tcp://graylog.example:12201' });
 * log.send({ shortMessage: 'user signed in', level: 'info', fields: { user_id: 42 } });
 * await log.close();
 * ```
 *
 * docs/gelf.md describes the guarantees of each transport, and has more examples.
 */
import { type GelfLevelName, levelOf } from './protocols/gelf/gelf-level.ts';
import { type GelfMessage, messageOfText } from './protocols/gelf/gelf-message.ts';
import {
  type GelfPresentation,
  type GelfPresentationOptions,
  gelfPresentation,
  type PresentedMessage,
} from './protocols/gelf/gelf-presentation.ts';
import { LastingStream, type LastingStreamOptions } from './transport/lasting-stream.ts';
import type { Outlet, OutletCounters } from './transport/outlet.ts';
import { PacketQueue, type PacketQueueOptions } from './transport/packet-queue.ts';
import type { TlsClientOptions } from './transport/socket-transport.ts';
import { parseTransportAddress, TRANSPORT_ADDRESS_FORMAT } from './transport/transport-address.ts';
import { transportTo } from './transport/transport-to.ts';

export type { GelfLevelName } from './protocols/gelf/gelf-level.ts';
export type { GelfFields, GelfMessage } from './protocols/gelf/gelf-message.ts';
export type { GelfCompression } from './protocols/gelf/packet-codec.ts';
export type { GelfDelimiter } from './protocols/gelf/stream-codec.ts';
export type { DropReason, OutletCounters, OutletEvent } from './transport/outlet.ts';
export type { TlsClientOptions } from './transport/socket-transport.ts';

export interface GelfClientOptions
  extends Omit<GelfPresentationOptions, 'level' | 'mintId' | 'now'>,
    Omit<LastingStreamOptions, 'clock'>,
    Omit<PacketQueueOptions, 'clock'> {
  /**
   * `udp://host:port`, `tcp://host:port`, `tls://host:port`, `unix:/path`, `unixgram:/path`, `file:/path` or
   * `stdout:`. Default port: 12201.
   */
  readonly address: string;
  /** Level of messages without one. Default 6, `info`. */
  readonly level?: number | GelfLevelName | undefined;
  readonly tls?: TlsClientOptions | undefined;
  /** Timeout of connecting, and of each write. Default 10 s. */
  readonly timeoutMs?: number | undefined;
}

/** Numbers of messages since the client was created. */
export interface GelfClientCounters extends OutletCounters {
  /** Sent truncated, with a marker. */
  readonly cut: number;
  /** Sent with the default level instead of an invalid one. */
  readonly unknownLevels: number;
  /** Dropped as invalid: not a message, or impossible to truncate enough. */
  readonly unsendable: number;
}

const DEFAULT_PORT = 12_201;
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Sends messages to Graylog and other GELF receivers. `send` returns immediately, never throws, and never
 * waits for the network: messages are queued in memory up to a limit, and sent in order. Over streams the
 * client connects at the first message, and reconnects after a break.
 */
export class GelfClient {
  readonly #presentation: GelfPresentation;
  readonly #outlet: Outlet;
  #cut = 0;
  #unknownLevels = 0;
  #unsendable = 0;

  /** Does not connect. Throws TypeError or RangeError for invalid options. */
  constructor(options: GelfClientOptions) {
    const address = parseTransportAddress(options.address, DEFAULT_PORT);
    if (address === undefined) {
      throw new TypeError(`address: expected ${TRANSPORT_ADDRESS_FORMAT.replaceAll('`', '')}`);
    }
    const { level: givenLevel = 6, tls, timeoutMs } = options;
    const level = levelOf(givenLevel);
    if (level === undefined) throw new TypeError('level: expected 0 to 7, or a name such as "info"');
    const to = transportTo(address, { tls, timeoutMs });
    this.#presentation = gelfPresentation(to.kind, { ...options, level });
    this.#outlet =
      to.kind === 'packets'
        ? new PacketQueue(to.transport, options)
        : new LastingStream(to.transport, options);
  }

  /**
   * Queues a message, or a text whose first line is the short message. Returns false if it was dropped (see
   * the counters); true does not guarantee delivery.
   */
  send(message: GelfMessage | string): boolean {
    const presented = this.#present(message);
    if (presented === undefined) {
      this.#unsendable++;
      return false;
    }
    if (presented.cutBytes > 0) this.#cut++;
    if (presented.unknownLevel) this.#unknownLevels++;
    return this.#outlet.write(presented.packets);
  }

  /**
   * Resolves when the queue is less than half full. Awaiting it before each `send` prevents losses by a full
   * queue.
   */
  ready(): Promise<void> {
    return this.#outlet.room();
  }

  /**
   * Resolves to true when the system has accepted all messages so far; to false at the deadline or if some
   * were dropped.
   */
  flush(deadline?: AbortSignal): Promise<boolean> {
    return this.#outlet.flush(deadline);
  }

  /**
   * Sends queued messages until the deadline (default: 5 s), then releases everything. An open client keeps
   * its process alive.
   */
  close(deadline: AbortSignal = AbortSignal.timeout(CLOSE_TIMEOUT_MS)): Promise<void> {
    return this.#outlet.close(deadline);
  }

  get counters(): GelfClientCounters {
    return {
      ...this.#outlet.counters,
      cut: this.#cut,
      unknownLevels: this.#unknownLevels,
      unsendable: this.#unsendable,
    };
  }

  /** Handles any argument: a getter that throws must not cause an exception in the caller's logging. */
  #present(message: GelfMessage | string): PresentedMessage | undefined {
    try {
      return this.#presentation.present(typeof message === 'string' ? messageOfText(message) : message);
    } catch {
      return undefined;
    }
  }
}
