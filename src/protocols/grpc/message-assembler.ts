import { GRPC_STATUS, type GrpcStatus } from './grpc-status.ts';

/** One byte of flags and four bytes of length, most significant first. */
export const MESSAGE_PREFIX_BYTES = 5;

/** The prefix of an uncompressed message. */
export function messagePrefix(bytes: number): Buffer {
  const prefix = Buffer.alloc(MESSAGE_PREFIX_BYTES);
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}

/**
 * Puts the messages of a call together from views of any size. Each message is copied once, into a buffer of its own from
 * `allocate`; a message that is complete in one view is not copied if the caller permits it.
 */
export class MessageAssembler {
  readonly #options: MessageAssemblerOptions;
  readonly #prefix = Buffer.alloc(MESSAGE_PREFIX_BYTES);
  #prefixBytes = 0;
  #message: Buffer | undefined;
  #received = 0;
  #fault: GrpcStatus | undefined;

  constructor(options: MessageAssemblerOptions) {
    this.#options = options;
  }

  /** Received bytes of an incomplete message, its prefix included; 0 between messages. */
  get unfinishedBytes(): number {
    return this.#prefixBytes + this.#received;
  }

  /** The buffer that an incomplete message occupies. */
  get heldBytes(): number {
    return this.#message?.length ?? 0;
  }

  /**
   * Returns the status with which the call must end: a message is too large or compressed. Everything after it is
   * ignored.
   */
  receive(view: Uint8Array): GrpcStatus | undefined {
    for (let at = 0; at < view.length && this.#fault === undefined; ) {
      at = this.#message === undefined ? this.#readPrefix(view, at) : this.#readBody(view, at, this.#message);
    }
    return this.#fault;
  }

  /** Discards an incomplete message; returns its buffer, so that the caller can release it. */
  discard(): Buffer | undefined {
    const message = this.#message;
    this.#reset();
    return message;
  }

  #readPrefix(view: Uint8Array, at: number): number {
    const end = Math.min(view.length, at + MESSAGE_PREFIX_BYTES - this.#prefixBytes);
    this.#prefix.set(view.subarray(at, end), this.#prefixBytes);
    this.#prefixBytes += end - at;
    if (this.#prefixBytes === MESSAGE_PREFIX_BYTES) this.#begin(this.#prefix.readUInt32BE(1));
    return end;
  }

  #begin(bytes: number): void {
    const { maxMessageBytes, allocate } = this.#options;
    this.#fault = prefixFault(this.#prefix[0] ?? 0, bytes, maxMessageBytes);
    if (this.#fault !== undefined) return;
    const buffer = allocate?.(bytes) ?? Buffer.allocUnsafeSlow(bytes);
    this.#message = buffer.subarray(0, bytes);
    if (bytes === 0) this.#complete(this.#message);
  }

  #readBody(view: Uint8Array, at: number, message: Buffer): number {
    const end = Math.min(view.length, at + message.length - this.#received);
    message.set(view.subarray(at, end), this.#received);
    this.#received += end - at;
    if (this.#received === message.length) this.#complete(message);
    return end;
  }

  #complete(message: Buffer): void {
    this.#reset();
    this.#options.onMessage(message);
  }

  #reset(): void {
    this.#message = undefined;
    this.#prefixBytes = 0;
    this.#received = 0;
  }
}

function prefixFault(flags: number, bytes: number, maxBytes: number): GrpcStatus | undefined {
  if (flags === 1)
    return { code: GRPC_STATUS.unimplemented, message: 'compressed messages are not supported' };
  if (flags !== 0) return { code: GRPC_STATUS.internal, message: `invalid flags of a message: ${flags}` };
  if (bytes > maxBytes) {
    const message = `the message exceeds the limit: at most ${maxBytes} bytes, got ${bytes}`;
    return { code: GRPC_STATUS.resourceExhausted, message };
  }
  return undefined;
}

export interface MessageAssemblerOptions {
  readonly maxMessageBytes: number;
  /** Returns a buffer of at least this size. Default: a new one. */
  readonly allocate?: ((bytes: number) => Buffer) | undefined;
  /** Called with each message, in order. */
  readonly onMessage: (message: Buffer) => void;
}
