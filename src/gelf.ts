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
 * What each transport promises, and more examples: docs/gelf.md.
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
   * `udp://host:port`, `tcp://host:port`, `tls://host:port`, `unix:/path`, `unixgram:/path`, `file:/path` or `stdout:`.
   * The port may be left out: 12201.
   */
  readonly address: string;
  /** Of messages that do not say. Default 6, `info`. */
  readonly level?: number | GelfLevelName | undefined;
  readonly tls?: TlsClientOptions | undefined;
  /** For a connection, and for each write. Default 10 s. */
  readonly timeoutMs?: number | undefined;
}

/** Messages since the client was made. */
export interface GelfClientCounters extends OutletCounters {
  /** Sent with something missing, and a marker in its place. */
  readonly cut: number;
  /** With a level that is none; the default took its place. */
  readonly unknownLevels: number;
  /** Nothing that could be sent: not a message at all, or one that cannot be cut short enough. */
  readonly unsendable: number;
}

const DEFAULT_PORT = 12_201;
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Sends messages to Graylog and whoever else speaks GELF. `send` returns at once, never throws, and never waits for the
 * network: messages queue up in memory, within a limit, and go out in order. Over streams the client connects when
 * it has something to say, and again after a break.
 */
export class GelfClient {
  readonly #presentation: GelfPresentation;
  readonly #outlet: Outlet;
  #cut = 0;
  #unknownLevels = 0;
  #unsendable = 0;

  /** Opens nothing yet. Throws TypeError or RangeError on options that cannot work. */
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
   * Takes a message, or a text: its first line is the short message. False: it was dropped at once (the counters say
   * why); true is no promise.
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

  /** Resolves when the queue is less than half full. Waiting for it before each `send` loses nothing to a full queue. */
  ready(): Promise<void> {
    return this.#outlet.room();
  }

  /** True when the system has taken everything sent so far; false when the deadline came first, or some was dropped. */
  flush(deadline?: AbortSignal): Promise<boolean> {
    return this.#outlet.flush(deadline);
  }

  /** Sends what is queued until the deadline (default: 5 s), then lets go of everything. An open client keeps its process alive. */
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

  /** Whatever a caller may have handed in: a getter that throws is no reason to throw in a program's logging. */
  #present(message: GelfMessage | string): PresentedMessage | undefined {
    try {
      return this.#presentation.present(typeof message === 'string' ? messageOfText(message) : message);
    } catch {
      return undefined;
    }
  }
}
