import { hash } from 'node:crypto';
import type { Position } from '../../../records/position.ts';
import type { StateStore, Table } from '../../../storage/state/state-store.ts';
import type { MessageIdentity } from './message-identity.ts';
import { PeerWindow } from './peer-window.ts';

/**
 * Recognizes messages that RELP clients send again. After a broken connection a client sends all messages without an
 * answer again. rsyslog then also repeats the messages of its current batch, of which some are in the first group. A
 * client cannot know which messages were stored.
 *
 * The window has fingerprints of the newest messages of each sender. They are written in the transaction that puts
 * the messages into the index of the journal. A crash can come after the answer and before this transaction: then the
 * restart recovers the messages, and remembers their fingerprints in the transaction that indexes them. So a message that
 * is stored is in the window of each later process, also after the aggregator has accepted the message.
 *
 * Without an identity, equal messages are legal. A message in the beginning of a session that equals one in the window
 * is marked, not dropped. With an identity, a message is a repetition if the same sender has sent the same bytes
 * with the same identity, and the fingerprint is still in the window. It is dropped.
 *
 * Limits: `MAX_PEERS` senders. All senders share `MAX_MESSAGES` fingerprints, and each of them has at least
 * `MIN_PEER_MESSAGES`.
 */
export class ResendWindow {
  readonly #identity: MessageIdentity | undefined;
  readonly #isMarking: boolean;
  readonly #listener: string;
  readonly #table: Table<string>;
  /** The sender whose session began last is last. */
  readonly #peers = new Map<string, PeerWindow>();
  /** Windows that have something to write. */
  readonly #changed = new Set<PeerWindow>();
  #lastEnd: Position = 0;

  constructor({ store, listener, identity, isMarking = true, table = RESENDS_TABLE }: ResendWindowOptions) {
    this.#isMarking = isMarking;
    this.#identity = identity;
    this.#listener = listener;
    this.#table = store.table(table);
    for (const { key, value } of this.#table.entries({ prefix: listener })) {
      const [, name, block] = key as [string, string, number];
      this.#peer(name).restore(block, value);
    }
  }

  /** A session begins. `hasPositions`: the ends of its messages are positions of the journal. */
  track(address: string, hasPositions = true): ResendTrack {
    const name = this.#identity?.isGlobal === true ? '' : address;
    const peer = this.#peer(name);
    peer.sessions++;
    this.#peers.delete(name);
    this.#peers.set(name, peer);
    this.#limitPeers();
    return new ResendTrack({
      peer,
      address: name,
      identity: this.#identity,
      isMarking: this.#isMarking,
      add: (fingerprint, end) => this.#add(peer, fingerprint, hasPositions ? end : 0),
      settle: (end) => this.#settle(peer, end),
      lastEnd: () => this.#lastEnd,
      ended: () => this.#ended(name, peer),
    });
  }

  /** The message was stored by an earlier process, and its fingerprint was not. `storing` writes it. */
  remember(message: Uint8Array, address: string): void {
    const track = this.track(address);
    const checked = track.check(message);
    if (checked.kind !== 'dropped') track.add(checked.fingerprint, 0);
    track.end();
  }

  /** For the journal: called inside the transaction that stores all messages before `end`. */
  storing(end: Position): void {
    for (const peer of this.#changed) {
      const { blocks, removed } = peer.write(end);
      for (const [block, text] of blocks) this.#table.put([this.#listener, peer.name, block], text);
      for (const block of removed) this.#table.remove([this.#listener, peer.name, block]);
    }
  }

  /** For the journal: the transaction is committed. */
  stored(): void {
    for (const peer of this.#changed) if (peer.written()) this.#changed.delete(peer);
  }

  #settle(peer: PeerWindow, end: Position): void {
    peer.settle(end);
    if (end < Number.POSITIVE_INFINITY) this.#lastEnd = Math.max(this.#lastEnd, end);
  }

  #add(peer: PeerWindow, fingerprint: string, end: Position | undefined): void {
    this.#lastEnd = Math.max(this.#lastEnd, end ?? 0);
    peer.add(fingerprint, end);
    const most = this.#identity?.isGlobal === true ? MAX_MESSAGES : MAX_PEER_MESSAGES;
    const share = Math.floor(MAX_MESSAGES / this.#peers.size);
    peer.limitTo(Math.max(MIN_PEER_MESSAGES, Math.min(most, share)));
    this.#changed.add(peer);
  }

  #peer(name: string): PeerWindow {
    const peer = this.#peers.get(name) ?? new PeerWindow(name);
    this.#peers.set(name, peer);
    return peer;
  }

  #limitPeers(): void {
    if (this.#peers.size <= MAX_PEERS) return;
    const oldest = [...this.#peers.values()].find(({ sessions }) => sessions === 0);
    if (oldest === undefined) return;
    this.#peers.delete(oldest.name);
    oldest.limitTo(0);
    this.#changed.add(oldest);
  }

  #ended(name: string, peer: PeerWindow): void {
    peer.sessions--;
    if (peer.sessions === 0 && peer.isEmpty && this.#peers.get(name) === peer) this.#peers.delete(name);
  }
}

/** The messages of one session. */
export class ResendTrack {
  readonly #options: TrackOptions;
  #received = 0;
  #isEnded = false;

  constructor(options: TrackOptions) {
    this.#options = options;
  }

  /** Compares the next message of the session with the window. */
  check(message: Uint8Array): CheckedMessage {
    const { peer, address, identity, isMarking, lastEnd } = this.#options;
    const digest = hash('sha256', message, 'base64').slice(0, FINGERPRINT_CHARACTERS);
    const value = identity?.of(message);
    const fingerprint = value === undefined ? digest : fingerprintOf(`${address}\0${value}\0${digest}`);
    // The first message may not be on disk yet, and the answer to its repetition promises that it is.
    if (value !== undefined && peer.has(fingerprint)) return { kind: 'dropped', answerAfter: lastEnd() };
    const isEarly = this.#received++ < EARLY_MESSAGES;
    return { kind: isEarly && isMarking && peer.has(fingerprint) ? 'repeated' : 'new', fingerprint };
  }

  /**
   * Remembers a checked message. `end`: everything before it is stored with the message; undefined: `settle` follows in the
   * same turn of the event loop.
   */
  add(fingerprint: string, end: Position | undefined): void {
    this.#options.add(fingerprint, end);
  }

  /** Sets the end of the messages that were added without one. Infinity: they were not appended, and are forgotten. */
  settle(end: Position): void {
    this.#options.settle(end);
  }

  end(): void {
    if (!this.#isEnded) this.#options.ended();
    this.#isEnded = true;
  }
}

/** `dropped`: it is a repetition, and is answered when everything before `answerAfter` is on disk. */
export type CheckedMessage =
  | { readonly kind: 'new' | 'repeated'; readonly fingerprint: string }
  | { readonly kind: 'dropped'; readonly answerAfter: Position };

export interface ResendWindowOptions {
  readonly store: StateStore;
  readonly listener: string;
  readonly identity?: MessageIdentity | undefined;
  /** Default: true. Otherwise repetitions without an identity are not recognized. */
  readonly isMarking?: boolean;
  /** The name of its table in the state; default: the one of syslog listeners. */
  readonly table?: string;
}

interface TrackOptions {
  readonly peer: PeerWindow;
  readonly address: string;
  readonly identity: MessageIdentity | undefined;
  readonly isMarking: boolean;
  readonly add: (fingerprint: string, end: Position | undefined) => void;
  readonly settle: (end: Position) => void;
  readonly lastEnd: () => Position;
  readonly ended: () => void;
}

/** Rows: listener, sender, number of the block -> fingerprints without separators. */
const RESENDS_TABLE = 'syslog resends';

/** Removes the fingerprints of listeners that are not configured any more. */
export async function forgetResends(store: StateStore, listeners: ReadonlySet<string>): Promise<void> {
  const table = store.table<string>(RESENDS_TABLE);
  const keys = Array.from(table.entries(), ({ key }) => key as [string, string, number]);
  const forgotten = keys.filter(([listener]) => !listeners.has(listener));
  if (forgotten.length === 0) return;
  await store.write(() => {
    for (const key of forgotten) table.remove(key);
  });
}

/** A client can have this many messages without an answer, and repeats at most a batch of the same size. */
const EARLY_MESSAGES = 2048;
const MAX_PEERS = 4096;
const MAX_MESSAGES = 512 * 1024;
const MAX_PEER_MESSAGES = 16 * 1024;
const MIN_PEER_MESSAGES = 256;
/** 96 bits: no two different messages of a window are equal. */
export const FINGERPRINT_CHARACTERS = 16;

function fingerprintOf(text: string): string {
  return hash('sha256', text, 'base64').slice(0, FINGERPRINT_CHARACTERS);
}
