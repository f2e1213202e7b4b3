import { formatNamed } from '../../../formats/registry.ts';
import type { Position } from '../../../records/position.ts';
import { EMPTY_RESOURCE, type Resource } from '../../../records/resource.ts';
import { Timer } from '../../../runtime/async/timer.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { PackRule } from '../../packing/pack-rules.ts';
import { type OutgoingRecord, Packer } from '../../packing/packer.ts';
import type { FlushedListener, RecordChannel } from './record-channel.ts';

/** A client that sends nothing for this time may wait for answers: its messages are not held any longer. */
const IDLE_MS = 250;

/**
 * The channel of a listener that packs records. Its connections share the packer, because the records of one sender may
 * arrive on several connections.
 *
 *     connection --> PackedConnection --> Packer --> channel of the listener --> journal
 *               <-- answers, in order <-- positions of merged records <---------'
 */
export class PackedChannel {
  readonly channel: RecordChannel;
  readonly #options: PackedChannelOptions;
  readonly #packer: Packer<Answer>;
  #isEnding = false;

  constructor(options: PackedChannelOptions) {
    const { channel, rules, format, clock } = options;
    const parser = formatNamed(format);
    this.channel = channel;
    this.#options = options;
    this.#packer = new Packer<Answer>({
      ...{ rules, clock },
      parse: (bytes, context) => parser.parse(bytes, context),
      emit: (record) => this.#append(record),
    });
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get heldBytes(): number {
    return this.#packer.heldBytes;
  }

  /** `isAnswered`: the client waits for answers. */
  connection({ isAnswered }: { readonly isAnswered: boolean }): PackedConnection {
    return new PackedConnection(this, isAnswered);
  }

  add(message: Uint8Array, peer: Resource, answer: Answer): void {
    const { resource, clock } = this.#options;
    const context = { resource, observedTimeUnixNano: clock.nowUnixNano(), peer };
    // The caller uses its buffer again.
    this.#packer.add({ bytes: Buffer.from(message), context, answer });
    if (this.#isEnding) this.#packer.flush();
  }

  flush(): void {
    this.#packer.flush();
  }

  /** The listener closes: no message is held any more. */
  end(): void {
    this.#isEnding = true;
    this.#packer.flush();
  }

  #append({ bytes, context, answers }: OutgoingRecord<Answer>): void {
    const end = this.channel.append(bytes, context.peer ?? EMPTY_RESOURCE);
    // Without an answer, a RELP client sends its messages again. For others the loss is reported.
    if (end === 'full') this.channel.drop(bytes.length + 1);
    for (const answer of answers) answer(end === 'full' ? Number.POSITIVE_INFINITY : end);
  }
}

/** Receives the position that must be flushed before the message is on disk. */
type Answer = (end: Position) => void;

export interface PackedChannelOptions {
  readonly channel: RecordChannel;
  readonly rules: readonly PackRule[];
  readonly format: string;
  /** Of the records of the listener. */
  readonly resource: Resource;
  readonly clock: Clock;
}

/**
 * The messages of one connection. A message is on disk when the merged record is that contains it, so its position in
 * the journal is not known when it is appended. Positions here are the numbers of messages: `flushed` is the number of
 * the last one before which all are on disk.
 */
class PackedConnection implements RecordChannel, FlushedListener {
  readonly #packed: PackedChannel;
  readonly #isAnswered: boolean;
  readonly #listeners = new Set<FlushedListener>();
  readonly #idle: Timer;
  /** The positions in the journal of messages that are merged and not flushed, by their numbers. */
  readonly #ends = new Map<number, Position>();
  #appended = 0;
  #flushed = 0;

  constructor(packed: PackedChannel, isAnswered: boolean) {
    this.#packed = packed;
    this.#isAnswered = isAnswered;
    this.#idle = new Timer(packed.clock, () => this.flushHeld());
  }

  get flushed(): Position {
    this.#advance();
    return this.#flushed;
  }

  append(message: Uint8Array, peer: Resource): Position {
    const number = ++this.#appended;
    this.#packed.add(message, peer, (end) => {
      this.#ends.set(number, end);
      if (this.#isAnswered) this.#packed.channel.flushSoon();
    });
    if (this.#isAnswered && this.#ends.size < number - this.#flushed) this.#idle.set(IDLE_MS);
    return number;
  }

  /** A record without a peer is one of the collector itself. */
  appendLine(line: Uint8Array, peer?: Resource): Position | 'full' {
    if (peer === undefined) return this.#packed.channel.appendLine(line);
    return this.append(line.subarray(0, line.length - 1), peer);
  }

  drop(bytes: number): void {
    this.#packed.channel.drop(bytes);
  }

  /** Records that are held need room, too. */
  hasRoom(bytes: number): boolean {
    return this.#packed.channel.hasRoom(bytes + 2 * this.#packed.heldBytes);
  }

  whenRoom(bytes: number, signal: AbortSignal): Promise<boolean> {
    this.flushHeld();
    return this.#packed.channel.whenRoom(bytes, signal);
  }

  flushSoon(): void {
    this.#packed.channel.flushSoon();
  }

  flushHeld(): void {
    this.#idle.cancel();
    this.#packed.flush();
    this.#packed.channel.flushSoon();
  }

  add(listener: FlushedListener): void {
    if (this.#listeners.size === 0) this.#packed.channel.add(this);
    this.#listeners.add(listener);
  }

  remove(listener: FlushedListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#packed.channel.remove(this);
    this.#idle.cancel();
  }

  /** For the channel. */
  onFlushed(): void {
    this.#advance();
    for (const listener of this.#listeners) listener.onFlushed(this.#flushed);
  }

  #advance(): void {
    const { flushed } = this.#packed.channel;
    for (;;) {
      const end = this.#ends.get(this.#flushed + 1);
      if (end === undefined || end > flushed) return;
      this.#ends.delete(++this.#flushed);
    }
  }
}
