import { pooledBytes } from '../../../runtime/buffer-pool.ts';
import { MessageBudget, type MessageRequest } from './message-budget.ts';

/** Hello, and requests about streams. A batch may be as small. */
export const SMALL_MESSAGE_BYTES = 4 * 1024;

/**
 * The memory for messages of all calls. Small ones have a part of their own, so that requests about streams are answered
 * while large batches wait for the queue.
 */
export class MessageMemory {
  readonly #large: MessageBudget;
  readonly #small: MessageBudget;

  constructor(limitBytes: number) {
    this.#large = new MessageBudget((limitBytes * 3) / 4);
    this.#small = new MessageBudget(limitBytes / 4);
  }

  get bytes(): number {
    return this.#large.bytes + this.#small.bytes;
  }

  request(bytes: number, host: string, granted: () => void): MessageRequest {
    return { bytes: pooledBytes(bytes), host, state: 'new', granted };
  }

  take(request: MessageRequest): boolean {
    return this.#budgetOf(request).take(request);
  }

  end(request: MessageRequest): void {
    this.#budgetOf(request).end(request);
  }

  #budgetOf({ bytes }: MessageRequest): MessageBudget {
    return bytes > SMALL_MESSAGE_BYTES ? this.#large : this.#small;
  }
}
