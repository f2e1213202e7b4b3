import {
  type FrameKind,
  SyslogFrameSplitter,
  type SyslogFrameVisitor,
  type SyslogFraming,
} from '../../../protocols/syslog-framing/frame-splitter.ts';
import type { Position } from '../../../records/position.ts';
import type { ConnectionProtocol } from './connection.ts';
import type { RecordMarkers } from './peer-attributes.ts';
import type { ReceivedMessages } from './received-messages.ts';

/**
 * Above it, a connection is not read until older messages are on disk: a crash loses at most this much of it. The journal
 * limits the sum of all connections.
 */
const MAX_UNFLUSHED_BYTES = 2 * 1024 * 1024;
/**
 * A commit begins from here on, and the connection is read while it runs. A slow sender does not wait for it: the journal
 * commits every 10 ms.
 */
const COMMIT_FROM_BYTES = 1024 * 1024;

/** The same object for most messages. */
const NO_MARKERS: RecordMarkers = {};

/** Syslog over TCP, TLS and Unix stream sockets. It has no answers, so the peer does not know what is stored. */
export class StreamProtocol implements ConnectionProtocol, SyslogFrameVisitor {
  readonly needsPeer = false;
  /** For the splitter; undefined: each message is passed on. */
  readonly lines: SyslogFrameVisitor['lines'];
  readonly #messages: ReceivedMessages;
  readonly #splitter: SyslogFrameSplitter;
  #unflushedBytes = 0;
  /** Those after the last commit that was requested. */
  #uncommittedBytes = 0;
  /** Those of messages that `ReceivedMessages` has not appended. */
  #collectedBytes = 0;
  #end: Position = 0;
  /** The unflushed bytes of each call of `push`, oldest first. */
  readonly #pushes: { readonly end: Position; readonly bytes: number }[] = [];
  #isShutDown = false;

  constructor(messages: ReceivedMessages, framing: SyslogFraming, keptBytes: number) {
    this.#messages = messages;
    this.#splitter = new SyslogFrameSplitter({ framing, keptBytes });
    if (messages.acceptsLines) this.lines = (bytes, sizes) => this.#lines(bytes, sizes);
  }

  get isFull(): boolean {
    return this.#unflushedBytes >= MAX_UNFLUSHED_BYTES;
  }

  /** A chunk of the socket is at most 256 KiB. */
  get maxPushBytes(): number {
    return Number.POSITIVE_INFINITY;
  }

  get isFinished(): boolean {
    return this.#isShutDown;
  }

  get heldBytes(): number {
    return this.#splitter.heldBytes;
  }

  push(chunk: Uint8Array): void {
    const before = this.#unflushedBytes;
    this.#splitter.push(chunk, this);
    this.#append();
    this.#messages.report();
    const bytes = this.#unflushedBytes - before;
    if (bytes === 0) return;
    this.#pushes.push({ end: this.#end, bytes });
    this.#uncommittedBytes += bytes;
    this.#requestCommit();
  }

  peerEnded(): void {
    this.#isShutDown = true;
    this.#splitter.end(this);
    this.#append();
    this.#messages.report();
  }

  flushed(end: Position): void {
    for (let [first] = this.#pushes; first !== undefined && first.end <= end; [first] = this.#pushes) {
      this.#unflushedBytes -= first.bytes;
      this.#pushes.shift();
    }
  }

  shutdown(): void {
    this.peerEnded();
  }

  closed(): void {}

  #requestCommit(): void {
    if (this.isFull) this.#messages.flushHeld();
    else if (this.#uncommittedBytes >= COMMIT_FROM_BYTES) this.#messages.flushSoon();
    else return;
    this.#uncommittedBytes = 0;
  }

  /** For the splitter. */
  message(bytes: Uint8Array, kind: FrameKind, truncatedFrom: number | undefined): void {
    if (kind === 'garbage') this.#messages.misframed();
    const isPlain = kind !== 'unterminated' && truncatedFrom === undefined;
    const markers = isPlain ? NO_MARKERS : { isUnterminated: kind === 'unterminated', truncatedFrom };
    const end = this.#messages.add(bytes, markers);
    if (end === undefined) this.#collectedBytes += bytes.length;
    else this.#appended(bytes.length, end);
  }

  /** For the splitter. */
  #lines(bytes: Uint8Array, sizes: Uint32Array): void {
    this.#messages.addLines(bytes, sizes);
    this.#collectedBytes += bytes.length;
  }

  #append(): void {
    const bytes = this.#collectedBytes;
    this.#collectedBytes = 0;
    if (bytes > 0) this.#appended(bytes, this.#messages.append());
  }

  #appended(bytes: number, end: Position): void {
    // A message that had no room is never on disk.
    if (end === Number.POSITIVE_INFINITY) return;
    this.#unflushedBytes += bytes;
    this.#end = end;
  }
}
