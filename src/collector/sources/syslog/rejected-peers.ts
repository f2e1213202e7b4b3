import type { Clock } from '../../../runtime/clock.ts';
import type { SyslogEvents } from './events.ts';

/** The newest reason for each address that a listener has rejected. */
export class RejectedPeers {
  readonly #clock: Pick<Clock, 'nowUnixNano'>;
  /** The address that was rejected last is last. */
  readonly #peers = new Map<string, RejectedPeer>();

  constructor(clock: Pick<Clock, 'nowUnixNano'>) {
    this.#clock = clock;
  }

  /** The newest first. */
  get newest(): readonly RejectedPeer[] {
    return [...this.#peers.values()].reverse();
  }

  of(address: string): RejectedPeer | undefined {
    return this.#peers.get(address);
  }

  /** The events of the listener, which also report its rejections here. */
  observe(events: SyslogEvents): SyslogEvents {
    const add = (peer: string, reason: string) => this.#add(withoutPort(peer), reason);
    return {
      ...events,
      notAllowed: (event) => {
        add(event.peer, NOT_ALLOWED);
        events.notAllowed(event);
      },
      tooManyConnections: (event) => {
        add(event.peer, 'the listener had its maximum number of connections');
        events.tooManyConnections(event);
      },
      tlsFailed: (event) => {
        add(event.peer, event.reason);
        events.tlsFailed(event);
      },
      wrongPeer: (event) => {
        add(event.peer, `it sent ${event.found}`);
        events.wrongPeer(event);
      },
      faulty: (event) => {
        add(event.peer, event.reason);
        events.faulty(event);
      },
    };
  }

  #add(address: string, reason: string): void {
    const times = (this.#peers.get(address)?.times ?? 0) + 1;
    const time = new Date(Number(this.#clock.nowUnixNano() / 1_000_000n)).toISOString();
    this.#peers.delete(address);
    this.#peers.set(address, { address, reason, times, time });
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > MAX_PEERS && oldest !== undefined) this.#peers.delete(oldest);
  }
}

export interface RejectedPeer {
  readonly address: string;
  /** The reason of the last rejection. */
  readonly reason: string;
  readonly times: number;
  /** The time of the last rejection, in RFC 3339. */
  readonly time: string;
}

export const NOT_ALLOWED = 'its address is not in `allow`';
const MAX_PEERS = 256;

/** Each connection has another port. */
export function withoutPort(peer: string): string {
  return peer.replace(/^\[(.*)\]:\d+$/, '$1').replace(/^([\d.]+):\d+$/, '$1');
}
