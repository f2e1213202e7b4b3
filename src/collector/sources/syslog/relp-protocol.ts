import type { Socket } from 'node:net';
import type { RelpFault } from '../../../protocols/relp/relp-fault.ts';
import { RELP_LIMITS } from '../../../protocols/relp/relp-limits.ts';
import { type RelpServerHandler, RelpServerSession } from '../../../protocols/relp/server-session.ts';
import type { Position } from '../../../records/position.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import type { ConnectionProtocol } from './connection.ts';
import type { SyslogEvents } from './events.ts';
import type { RecordMarkers } from './peer-attributes.ts';
import type { ReceivedMessages } from './received-messages.ts';
import type { RecordChannel } from './record-channel.ts';
import type { ResendTrack } from './resend-window.ts';

/** A connection with this many unanswered messages is not read. */
const MAX_UNANSWERED = 1000;
/** `2 syslog 0`: fewer bytes contain no message. */
const SHORTEST_FRAME_BYTES = 11;
/** librelp waits 90 s for an answer; the connection is closed before that, and the client sends again. */
const ANSWER_WITHIN_MS = 60_000;
const OPEN_WITHIN_MS = 30_000;
/** A client that does not read its answers is not read. */
const MAX_UNSENT_BYTES = 64 * 1024;

/** The same object for most messages. */
const NO_MARKERS: RecordMarkers = {};

/**
 * RELP over TCP or TLS: a message is answered when it is on disk. All answers of a commit are one write. When
 * messages cannot be stored, they are not answered: the client keeps them.
 */
export class RelpProtocol implements ConnectionProtocol, RelpServerHandler {
  readonly needsPeer = true;
  readonly #options: RelpProtocolOptions;
  readonly #session: RelpServerSession;
  #cancelTimer: Cancel;
  /** Messages of this read have no position yet. */
  #hasCollected = false;
  /** When the last message was answered, or the oldest unanswered one arrived. */
  #progressMs = 0;

  constructor(options: RelpProtocolOptions) {
    const { keptBytes, softwareVersion, clock } = options;
    this.#options = options;
    this.#session = new RelpServerSession(this, { limits: { ...RELP_LIMITS, keptBytes }, softwareVersion });
    this.#cancelTimer = clock.after(OPEN_WITHIN_MS, () =>
      this.#fail({ kind: 'silence', reason: 'it sent no open' }),
    );
  }

  get isFull(): boolean {
    return (
      this.#session.unanswered >= MAX_UNANSWERED || this.#options.socket.writableLength > MAX_UNSENT_BYTES
    );
  }

  /** So few bytes that they do not contain more messages than may be unanswered. */
  get maxPushBytes(): number {
    return Math.max(1, MAX_UNANSWERED - this.#session.unanswered) * SHORTEST_FRAME_BYTES;
  }

  get isFinished(): boolean {
    return this.#session.isEnded && this.#session.unanswered === 0;
  }

  get heldBytes(): number {
    return this.#options.keptBytes;
  }

  push(chunk: Uint8Array): void {
    const { messages, clock } = this.#options;
    const wasIdle = this.#session.unanswered === 0;
    const fault = this.#session.push(chunk);
    this.#append();
    messages.report();
    if (fault !== undefined) this.#report(fault);
    this.#answer();
    if (this.#session.unanswered === 0) return;
    if (wasIdle) this.#progressMs = clock.monotonicMs();
    if (this.#session.isOpen && wasIdle) this.#checkAfter(ANSWER_WITHIN_MS);
    messages.flushSoon();
  }

  peerEnded(): void {
    const fault = this.#session.end();
    if (fault !== undefined) this.#report(fault);
  }

  flushed(_end: Position): void {
    this.#answer();
  }

  shutdown(): void {
    this.#session.shutdown();
    this.#answer();
    this.#options.messages.flushSoon();
  }

  closed(): void {
    this.#cancelTimer();
    this.#options.track?.end();
  }

  /** For the session. */
  opened(): void {
    this.#cancelTimer();
  }

  /** For the session. */
  message(data: Uint8Array, dataBytes: number): Position | undefined {
    const { messages, track, keptBytes } = this.#options;
    const truncatedFrom = dataBytes > data.length ? dataBytes : undefined;
    const bytes = truncatedFrom === undefined ? withoutLineEnding(data) : data.subarray(0, keptBytes);
    if (bytes.length === 0) return 0;
    const checked = track?.check(bytes);
    if (checked?.kind === 'dropped') {
      messages.dropRepetition();
      return checked.answerAfter;
    }
    const isPlain = checked?.kind !== 'repeated' && truncatedFrom === undefined;
    const markers = isPlain ? NO_MARKERS : { isRepeated: checked?.kind === 'repeated', truncatedFrom };
    const end = messages.add(bytes, markers);
    this.#hasCollected ||= end === undefined;
    if (checked !== undefined && end !== Number.POSITIVE_INFINITY) track?.add(checked.fingerprint, end);
    return end;
  }

  /** All messages of a read are answered together: they are part of one commit. */
  #append(): void {
    if (!this.#hasCollected) return;
    this.#hasCollected = false;
    const end = this.#options.messages.append();
    this.#options.track?.settle(end);
    this.#session.settle(end);
  }

  #answer(): void {
    const { socket, channel, clock } = this.#options;
    const answers = this.#session.answers(channel.flushed);
    if (answers === undefined) return;
    this.#progressMs = clock.monotonicMs();
    if (socket.writable) socket.write(answers);
  }

  #checkAfter(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(ms, () => this.#check());
  }

  #check(): void {
    const { events, listener, peer, clock, close } = this.#options;
    const messages = this.#session.unanswered;
    if (messages === 0) return;
    const remainingMs = this.#progressMs + ANSWER_WITHIN_MS - clock.monotonicMs();
    if (remainingMs > 0) return this.#checkAfter(remainingMs);
    events.unanswered({ listener, peer, messages });
    close();
  }

  #fail(fault: FaultReport): void {
    this.#report(fault);
    this.#options.close();
  }

  #report({ kind, reason }: FaultReport): void {
    const { events, listener, peer } = this.#options;
    events.faulty({ listener, peer, kind, reason });
  }
}

type FaultReport = Omit<RelpFault, 'kind'> & { readonly kind: string };

export interface RelpProtocolOptions {
  readonly socket: Socket;
  readonly messages: ReceivedMessages;
  readonly channel: RecordChannel;
  /** Absent: messages that are sent again are not recognized. */
  readonly track: ResendTrack | undefined;
  readonly keptBytes: number;
  readonly softwareVersion: string;
  readonly events: SyslogEvents;
  readonly listener: string;
  readonly peer: string;
  readonly clock: Clock;
  readonly close: () => void;
}

/** The template of omrelp ends messages with LF inside of the frame. */
function withoutLineEnding(data: Uint8Array): Uint8Array {
  let end = data.length;
  if (data[end - 1] === LF) end--;
  if (data[end - 1] === CR) end--;
  return data.subarray(0, end);
}

const LF = 0x0a;
const CR = 0x0d;
