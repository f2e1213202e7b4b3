import { LIMITS } from './limits.ts';
import type { Resource } from './resource.ts';

/**
 * The peers of a batch's records: a dictionary of the attributes of each sender, and for each record the
 * number of its sender in it. With it, the records of a thousand senders are one batch.
 *
 *     peers         [ {network.peer.address: 10.0.0.1}, {network.peer.address: 10.0.0.2} ]
 *     recordPeers   [ 1, 1, 2, 0, 1 ]      0: the record has no peer
 */
export interface PeerColumn {
  /** Absent or empty: no record has a peer. */
  readonly peers?: readonly Resource[];
  /** One number for each record; absent or empty together with `peers`. */
  readonly recordPeers?: Uint32Array;
}

/** The attributes of the peer of a record. */
export function peerOf({ peers, recordPeers }: PeerColumn, index: number): Resource | undefined {
  const number = recordPeers?.[index] ?? 0;
  return number === 0 ? undefined : peers?.[number - 1];
}

/** The column of the records `[from, to)`. The dictionary is shared. */
export function slicePeers({ peers, recordPeers }: PeerColumn, from: number, to: number): PeerColumn {
  if (peers === undefined || recordPeers === undefined) return {};
  return { peers, recordPeers: recordPeers.subarray(from, to) };
}

/** The peer of all records of a batch; undefined: they have several, or some have none. */
export function onlyPeerOf({ peers, recordPeers }: PeerColumn): Resource | undefined {
  if (peers?.length !== 1 || recordPeers === undefined) return undefined;
  return recordPeers.includes(0) ? undefined : peers[0];
}

/** Collects the peers of records, in their order. Equal attributes become one entry. */
export class PeerColumnBuilder {
  readonly #peers: Resource[] = [];
  readonly #numbers = new Map<Resource, number>();
  readonly #numbersByText = new Map<string, number>();
  #recordPeers = new Uint32Array(0);
  #records = 0;
  #bytes = 0;
  /** Consecutive records often have the same peer. */
  #lastPeer: Resource | undefined;
  #lastNumber = 0;

  /** Whether the dictionary has the peer, or room for it. */
  hasRoomFor(peer: Resource | undefined): boolean {
    if (peer === this.#lastPeer || peer === undefined || this.#numbers.has(peer)) return true;
    return this.#peers.length < LIMITS.batchPeers && this.#bytes + sizeOf(peer) <= LIMITS.batchPeerBytes;
  }

  /** The peer of the next record, or of the next `records`. */
  add(peer: Resource | undefined, records = 1): void {
    if (peer !== this.#lastPeer) {
      this.#lastNumber = peer === undefined ? 0 : (this.#numbers.get(peer) ?? this.#enter(peer));
      this.#lastPeer = peer;
    }
    const end = this.#records + records;
    if (end > this.#recordPeers.length) this.#grow(end);
    if (records === 1) this.#recordPeers[this.#records] = this.#lastNumber;
    else this.#recordPeers.fill(this.#lastNumber, this.#records, end);
    this.#records = end;
  }

  /** Empty when no record has a peer. */
  done(): PeerColumn {
    if (this.#peers.length === 0) return {};
    return { peers: this.#peers, recordPeers: this.#recordPeers.subarray(0, this.#records) };
  }

  #grow(records: number): void {
    const grown = new Uint32Array(Math.max(records, FIRST_RECORDS, 2 * this.#recordPeers.length));
    grown.set(this.#recordPeers);
    this.#recordPeers = grown;
  }

  #enter(peer: Resource): number {
    const text = JSON.stringify([...peer]);
    let number = this.#numbersByText.get(text);
    if (number === undefined) {
      number = this.#peers.push(peer);
      this.#numbersByText.set(text, number);
      this.#bytes += sizeOf(peer);
    }
    this.#numbers.set(peer, number);
    return number;
  }
}

const FIRST_RECORDS = 16;

/** At least the bytes of the attributes on the wire. */
function sizeOf(peer: Resource): number {
  let bytes = 8;
  for (const [key, value] of peer) bytes += 8 + 3 * (key.length + value.length);
  return bytes;
}
