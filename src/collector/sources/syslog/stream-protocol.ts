import {
  type FrameKind,
  SyslogFrameSplitter,
  type SyslogFrameVisitor,
  type SyslogFraming,
} from '../../../protocols/syslog-framing/frame-splitter.ts';
import type { Position } from '../../../records/position.ts';
import type { ConnectionProtocol } from './connection.ts';
import type { ReceivedMessages } from './received-messages.ts';

/** Above it, a connection is not read until its messages are on disk: a crash loses at most this much of it. */
const MAX_UNFLUSHED_BYTES = 256 * 1024;

/** Syslog over TCP, TLS and Unix stream sockets. It has no answers, so the peer does not know what is stored. */
export class StreamProtocol implements ConnectionProtocol, SyslogFrameVisitor {
  readonly needsPeer = false;
  readonly #messages: ReceivedMessages;
  readonly #splitter: SyslogFrameSplitter;
  #unflushedBytes = 0;
  #end: Position = 0;
  #isShutDown = false;

  constructor(messages: ReceivedMessages, framing: SyslogFraming, keptBytes: number) {
    this.#messages = messages;
    this.#splitter = new SyslogFrameSplitter({ framing, keptBytes });
  }

  get isFull(): boolean {
    return this.#unflushedBytes >= MAX_UNFLUSHED_BYTES;
  }

  get isFinished(): boolean {
    return this.#isShutDown;
  }

  get heldBytes(): number {
    return this.#splitter.heldBytes;
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk, this);
    this.#messages.report();
    if (this.isFull) this.#messages.flushHeld();
  }

  peerEnded(): void {
    this.#isShutDown = true;
    this.#splitter.end(this);
    this.#messages.report();
  }

  flushed(end: Position): void {
    if (end >= this.#end) this.#unflushedBytes = 0;
  }

  shutdown(): void {
    this.peerEnded();
  }

  closed(): void {}

  /** For the splitter. */
  message(bytes: Uint8Array, kind: FrameKind, truncatedFrom: number | undefined): void {
    if (kind === 'garbage') this.#messages.misframed();
    this.#unflushedBytes += bytes.length;
    this.#end = this.#messages.add(bytes, { isUnterminated: kind === 'unterminated', truncatedFrom });
  }
}
