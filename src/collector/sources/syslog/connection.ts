import type { Socket } from 'node:net';
import type { Position } from '../../../records/position.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import { RECORD_OVERHEAD_BYTES } from '../../journal/journal-writer.ts';
import type { SyslogEvents } from './events.ts';
import { peerAddress } from './peer-address.ts';
import type { FlushedListener, RecordChannel } from './record-channel.ts';
import { type WrongPeer, wrongPeer } from './wrong-peer.ts';

/**
 * Reads one connection at the speed of the journal:
 *
 *     data -> first bytes: another protocol? -> room in the journal for all of the chunk? -> protocol
 *
 * The socket is paused while the journal has no room, and while the protocol has too much that is not flushed;
 * the transport then holds the peer back. A chunk is processed in one turn of the event loop, so the room that
 * was checked is still there.
 */
export class Connection implements FlushedListener {
  readonly #options: ConnectionOptions;
  readonly #protocol: ConnectionProtocol;
  readonly #ending = new AbortController();
  readonly #chunks: Buffer[] = [];
  /** The first bytes, until the peer's protocol is known; undefined afterwards. */
  #greeting: Buffer | undefined = EMPTY;
  #isWaiting = false;
  #hasPeerEnded = false;
  #ended = false;
  #cancelEnd: Cancel | undefined;

  constructor(options: ConnectionOptions, protocol: ConnectionProtocol) {
    const { socket, channel } = options;
    this.#options = options;
    this.#protocol = protocol;
    channel.add(this);
    socket.setKeepAlive(true);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#process();
      this.#keepRemainder(chunk);
    });
    socket.on('end', () => {
      this.#hasPeerEnded = true;
      this.#process();
    });
    socket.on('drain', () => this.#process());
    socket.on('error', () => this.#peerClosed());
    socket.on('close', () => this.#peerClosed());
  }

  /** undefined for a Unix socket. */
  get peerAddress(): string | undefined {
    return peerAddress(this.#options.socket.remoteAddress);
  }

  get bytesRead(): number {
    return this.#options.socket.bytesRead;
  }

  /** Bytes that were read and wait for room in the journal. */
  get isBlocked(): boolean {
    return this.#chunks.length > 0;
  }

  /** For the channel. */
  onFlushed(end: Position): void {
    this.#protocol.flushed(end);
    this.#process();
  }

  /** No more bytes are processed. RELP connections end when their messages are answered. */
  shutdown(): void {
    this.#protocol.shutdown();
    this.#process();
  }

  /** Ends the connection now. */
  close(): void {
    this.#options.socket.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ending.abort();
    this.#cancelEnd?.();
    this.#options.channel.remove(this);
    this.#protocol.closed();
    this.#options.ended(this);
  }

  #process(): void {
    while (!this.#ended && !this.#protocol.isFull && this.#chunks.length > 0) {
      const chunk = this.#nextPart();
      if (chunk === undefined || !this.#hasRoomFor(chunk)) break;
      this.#chunks.shift();
      this.#push(chunk);
    }
    if (this.#ended) return;
    if (this.#chunks.length === 0 && this.#hasPeerEnded) this.#peerEnded();
    if (this.#protocol.isFinished) return this.#finish();
    const { socket } = this.#options;
    const mayRead = this.#chunks.length === 0 && !this.#protocol.isFull;
    if (mayRead && socket.isPaused()) socket.resume();
    else if (!mayRead && !socket.isPaused()) socket.pause();
  }

  /** The memory of the chunk is used again. */
  #keepRemainder(chunk: Buffer): void {
    for (const [index, each] of this.#chunks.entries())
      if (each.buffer === chunk.buffer) this.#chunks[index] = Buffer.from(each);
  }

  /** The next chunk, cut to the bytes that the protocol accepts now. */
  #nextPart(): Buffer | undefined {
    const [chunk] = this.#chunks;
    const { maxPushBytes } = this.#protocol;
    if (chunk === undefined || chunk.length <= maxPushBytes) return chunk;
    const part = chunk.subarray(0, maxPushBytes);
    this.#chunks.splice(0, 1, part, chunk.subarray(maxPushBytes));
    return part;
  }

  /** The messages of a chunk are at most its bytes, and the shortest frame of a message is two bytes. */
  #hasRoomFor(chunk: Buffer): boolean {
    const { channel } = this.#options;
    const needed = chunk.length * (1 + RECORD_OVERHEAD_BYTES / 2) + this.#protocol.heldBytes;
    if (channel.hasRoom(needed)) return true;
    if (!this.#isWaiting) void this.#waitForRoom(needed);
    return false;
  }

  async #waitForRoom(bytes: number): Promise<void> {
    this.#isWaiting = true;
    const hasRoom = await this.#options.channel.whenRoom(bytes, this.#ending.signal);
    this.#isWaiting = false;
    if (hasRoom) this.#process();
  }

  #push(chunk: Buffer): void {
    if (this.#greeting === undefined) return this.#protocol.push(chunk);
    const first = this.#greeting.length === 0 ? chunk : Buffer.concat([this.#greeting, chunk]);
    const found = wrongPeer(first);
    if (found === 'more') this.#greeting = Buffer.from(first);
    else if (found === 'none') {
      this.#greeting = undefined;
      this.#protocol.push(first);
    } else this.#reject(found);
  }

  #reject(found: WrongPeer): void {
    const { events, listener, peer } = this.#options;
    events.wrongPeer({ listener, peer, ...found });
    this.close();
  }

  #peerEnded(): void {
    const greeting = this.#greeting ?? EMPTY;
    this.#greeting = undefined;
    if (greeting.length > 0) this.#protocol.push(greeting);
    this.#protocol.peerEnded();
  }

  /** All bytes are received: what waits for room is still processed, as far as the connection lives. */
  #peerClosed(): void {
    this.#hasPeerEnded = true;
    if (this.#chunks.length === 0) this.#process();
    if (this.#protocol.needsPeer) this.close();
  }

  /** Sends what is written, and waits for the end of the peer. */
  #finish(): void {
    const { socket, clock } = this.#options;
    this.#chunks.length = 0;
    if (this.#hasPeerEnded) {
      socket.setTimeout(END_AFTER_MS, () => socket.destroy());
      socket.destroySoon();
      return this.#end();
    }
    if (this.#cancelEnd !== undefined) return;
    socket.end();
    socket.resume();
    this.#cancelEnd = clock.after(END_AFTER_MS, () => this.close());
  }
}

/** What a connection reads. */
export interface ConnectionProtocol {
  /** Too much is not flushed or not answered. */
  readonly isFull: boolean;
  /** Bytes of one call of `push` that cannot exceed the limit of `isFull` by much. At least 1. */
  readonly maxPushBytes: number;
  /** Everything is answered; the connection can end. */
  readonly isFinished: boolean;
  /** The protocol is of no use without the peer: a message that was not answered is sent again. */
  readonly needsPeer: boolean;
  /** Bytes of an incomplete message. */
  readonly heldBytes: number;
  push(chunk: Uint8Array): void;
  peerEnded(): void;
  flushed(end: Position): void;
  /** Accepts no more messages. */
  shutdown(): void;
  /** The connection is closed. */
  closed(): void;
}

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly channel: RecordChannel;
  readonly events: SyslogEvents;
  readonly clock: Clock;
  readonly listener: string;
  /** For the log. */
  readonly peer: string;
  readonly ended: (connection: Connection) => void;
}

const EMPTY = Buffer.alloc(0);
const END_AFTER_MS = 5000;
