import type { Position } from '../../../records/position.ts';
import type { SyslogEvents } from './events.ts';
import type { PeerAttributes, RecordMarkers } from './peer-attributes.ts';
import type { RecordChannel } from './record-channel.ts';

/** Appends the messages of one connection to the journal, and counts them. */
export class ReceivedMessages {
  readonly #options: ReceivedMessagesOptions;
  #records = 0;
  #bytes = 0;

  constructor(options: ReceivedMessagesOptions) {
    this.#options = options;
  }

  /** Returns the position that must be flushed before the message is on disk. The caller has checked the room. */
  add(message: Uint8Array, markers: RecordMarkers): Position {
    const { channel, attributes, events, listener } = this.#options;
    this.#records++;
    this.#bytes += message.length;
    if (markers.truncatedFrom !== undefined) events.truncated({ listener });
    if (markers.isRepeated) events.repeated({ listener });
    const end = channel.append(message, attributes.with(markers));
    if (end !== 'full') return end;
    // Another listener took the room in this turn. Without an answer a RELP client sends the message again; for
    // others the loss is reported.
    channel.drop(message.length + 1);
    return Number.POSITIVE_INFINITY;
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

export interface ReceivedMessagesOptions {
  readonly channel: RecordChannel;
  readonly attributes: PeerAttributes;
  readonly events: SyslogEvents;
  readonly listener: string;
  /** For the log. */
  readonly peer: string;
}
