import type { Position } from '../../../records/position.ts';
import type { Resource } from '../../../records/resource.ts';
import type { AppendedRun } from '../../journal/record-run.ts';
import type { SyslogEvents } from './events.ts';
import type { PeerAttributes, RecordMarkers } from './peer-attributes.ts';
import type { RecordChannel } from './record-channel.ts';

/**
 * Appends the messages of one connection to the journal, and counts them. The messages of one read are one append: they
 * are collected as columns until `append`.
 */
export class ReceivedMessages {
  readonly #options: ReceivedMessagesOptions;
  #records = 0;
  #bytes = 0;
  /** The collected records of `#peer`. */
  #run = EMPTY_RUN;
  #runBytes = 0;
  #runRecords = 0;
  #peer: Resource | undefined;
  /** The end of the runs that were appended since the last call of `append`. */
  #end: Position = 0;

  constructor(options: ReceivedMessagesOptions) {
    this.#options = options;
  }

  /**
   * Returns the position that must be flushed before the message is on disk; undefined when `append` will return it. The
   * caller has checked the room.
   */
  add(message: Uint8Array, markers: RecordMarkers): Position | undefined {
    const { channel, attributes, events, listener } = this.#options;
    this.#records++;
    this.#bytes += message.length;
    if (markers.truncatedFrom !== undefined) events.truncated({ listener });
    if (markers.isRepeated) events.repeated({ listener });
    const peer = attributes.with(markers);
    if (channel.appendRun !== undefined) {
      this.#collect(message, peer);
      return undefined;
    }
    const end = channel.append(message, peer);
    if (end !== 'full') return end;
    // Another listener took the room in this turn. Without an answer a RELP client sends the message again; for
    // others the loss is reported.
    channel.drop(message.length + 1);
    return Number.POSITIVE_INFINITY;
  }

  /** Whether the channel accepts `addLines`. */
  get acceptsLines(): boolean {
    return this.#options.channel.appendRun !== undefined;
  }

  /** Messages that each end with LF. */
  addLines(data: Uint8Array, sizes: Uint32Array): void {
    this.#records += sizes.length;
    this.#bytes += data.length - sizes.length;
    this.#appendRun();
    this.#appendColumns({ data, sizes, peer: this.#options.attributes.plain });
  }

  /**
   * Appends the collected messages. Returns the position that must be flushed before all of them are on disk; infinity
   * when some had no room; 0 when there are none.
   */
  append(): Position {
    this.#appendRun();
    const end = this.#end;
    this.#end = 0;
    return end;
  }

  #collect(message: Uint8Array, peer: Resource): void {
    const { data, sizes } = this.#run;
    const isFull = this.#runBytes + message.length >= data.length || this.#runRecords === sizes.length;
    if (peer !== this.#peer || isFull) this.#appendRun();
    this.#peer = peer;
    if (this.#run === EMPTY_RUN) this.#run = newRun(message.length + 1);
    this.#run.data.set(message, this.#runBytes);
    this.#runBytes += message.length + 1;
    this.#run.data[this.#runBytes - 1] = LF;
    this.#run.sizes[this.#runRecords++] = message.length + 1;
  }

  #appendRun(): void {
    if (this.#runRecords === 0) return;
    const data = this.#run.data.subarray(0, this.#runBytes);
    const sizes = this.#run.sizes.subarray(0, this.#runRecords);
    this.#runBytes = 0;
    this.#runRecords = 0;
    // A connection that is idle holds no buffer.
    this.#run = EMPTY_RUN;
    this.#appendColumns({ data, sizes, peer: this.#peer });
  }

  #appendColumns(run: AppendedRun): void {
    const { channel } = this.#options;
    const end = channel.appendRun?.(run) ?? 'full';
    if (end !== 'full') this.#end = Math.max(this.#end, end);
    else {
      this.#end = Number.POSITIVE_INFINITY;
      for (const size of run.sizes) channel.drop(size);
    }
  }

  /** The message is stored already. */
  dropRepetition(): void {
    const { events, listener } = this.#options;
    events.droppedRepetition({ listener });
  }

  misframed(): void {
    const { events, listener, peer } = this.#options;
    events.misframed({ listener, peer });
  }

  flushSoon(): void {
    this.#options.channel.flushSoon();
  }

  flushHeld(): void {
    this.#options.channel.flushHeld();
  }

  /** Counts the messages since the last call. */
  report(): void {
    if (this.#records === 0) return;
    const { events, listener } = this.#options;
    events.received({ listener, records: this.#records, bytes: this.#bytes });
    this.#records = 0;
    this.#bytes = 0;
  }
}

interface Run {
  readonly data: Uint8Array;
  readonly sizes: Uint32Array;
}

const EMPTY_RUN: Run = { data: new Uint8Array(0), sizes: new Uint32Array(0) };
/** The bytes of one read of a socket. */
const RUN_BYTES = 64 * 1024;
const RUN_RECORDS = 1024;
const LF = 0x0a;

/** Only one connection is read at a time, so all of them share the buffers. */
const SHARED_RUN: Run = { data: new Uint8Array(RUN_BYTES), sizes: new Uint32Array(RUN_RECORDS) };

function newRun(bytes: number): Run {
  return bytes <= RUN_BYTES ? SHARED_RUN : { data: new Uint8Array(bytes), sizes: new Uint32Array(1) };
}

export interface ReceivedMessagesOptions {
  readonly channel: RecordChannel;
  readonly attributes: PeerAttributes;
  readonly events: SyslogEvents;
  readonly listener: string;
  /** For the log. */
  readonly peer: string;
}
