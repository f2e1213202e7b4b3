import type { MessageRequest } from './message-budget.ts';
import { type MessageMemory, SMALL_MESSAGE_BYTES } from './message-memory.ts';

/**
 * Decides when the next message of one call is read. A large message is not begun while the queue accepts no batches, and no
 * message is begun without memory. Meanwhile the transport is paused after the size of the message, so the peer can send no
 * more than the window of the call.
 */
export class MessageAdmission {
  readonly #options: MessageAdmissionOptions;
  /** The message that is read, that waits for memory, or that is not processed. */
  #request: MessageRequest | undefined;
  #waitsForQueue = false;
  #isClosed = false;

  constructor(options: MessageAdmissionOptions) {
    this.#options = options;
  }

  /** False: the message must wait; `resume` follows, and the caller queries again. */
  mayReceive(bytes: number): boolean {
    if (this.#request !== undefined) return this.#request.state === 'granted';
    const { memory, host, acceptsBatches } = this.#options;
    this.#waitsForQueue = bytes > SMALL_MESSAGE_BYTES && !acceptsBatches();
    if (this.#waitsForQueue || this.#isClosed) return false;
    this.#request = memory.request(bytes, host, () => this.#options.resume());
    return memory.take(this.#request);
  }

  /** The queue may accept batches again. */
  proceed(): void {
    if (!this.#waitsForQueue || this.#isClosed || !this.#options.acceptsBatches()) return;
    this.#waitsForQueue = false;
    this.#options.resume();
  }

  /** The message that was received last is processed, and its memory is not used by the call any more. */
  processed(): void {
    const request = this.#request;
    this.#request = undefined;
    if (request !== undefined) this.#options.memory.end(request);
  }

  /** No more messages. */
  close(): void {
    this.#isClosed = true;
    this.processed();
  }
}

export interface MessageAdmissionOptions {
  readonly memory: MessageMemory;
  /** The address of the peer without its port. */
  readonly host: string;
  /** Whether a batch could be passed to the queue now. If not, `proceed` must follow. */
  readonly acceptsBatches: () => boolean;
  /** Reads the call again. */
  readonly resume: () => void;
}
