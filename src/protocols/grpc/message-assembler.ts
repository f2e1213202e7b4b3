import { GRPC_STATUS, type GrpcStatus } from './grpc-status.ts';

/** One byte of flags and four bytes of length, most significant first. */
export const MESSAGE_PREFIX_BYTES = 5;

/**
 * The first buffer of a message: a peer that announces a large message, and does not send it, makes this side reserve no
 * more. A large message is copied into its whole buffer when this much of it has arrived.
 */
const FIRST_BYTES = 128 * 1024;

/** The prefix of an uncompressed message. */
export function messagePrefix(bytes: number): Buffer {
  const prefix = Buffer.alloc(MESSAGE_PREFIX_BYTES);
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}

/**
 * Puts the messages of a call together from views of any size. Each message is copied once, into a buffer of its own; the
 * beginning of a large one is copied twice.
 */
export class MessageAssembler {
  readonly #options: MessageAssemblerOptions;
  readonly #prefix = Buffer.alloc(MESSAGE_PREFIX_BYTES);
  #prefixBytes = 0;
  #messageBytes = 0;
  /** At first a part of a large message. */
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

  /** Bytes until the prefix, or the message after it, is complete. A view of at most this size completes one message. */
  get missingBytes(): number {
    if (!this.#hasPrefix) return MESSAGE_PREFIX_BYTES - this.#prefixBytes;
    return this.#messageBytes - this.#received;
  }

  /** The size of an incomplete message of which some bytes were received; 0: there is none. */
  get begunBytes(): number {
    return this.#received > 0 ? this.#messageBytes : 0;
  }

  /** The size of the next message, when only its prefix was received; undefined otherwise. */
  get announcedBytes(): number | undefined {
    return this.#hasPrefix && this.#received === 0 ? this.#messageBytes : undefined;
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
      at = this.#hasPrefix ? this.#readBody(view, at) : this.#readPrefix(view, at);
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
    this.#fault = prefixFault(this.#prefix[0] ?? 0, bytes, this.#options.maxMessageBytes);
    if (this.#fault !== undefined) return;
    this.#messageBytes = bytes;
    if (bytes === 0) this.#complete(this.#allocate(0));
  }

  get #hasPrefix(): boolean {
    return this.#prefixBytes === MESSAGE_PREFIX_BYTES;
  }

  #allocate(bytes: number): Buffer {
    const { allocate } = this.#options;
    return allocate === undefined ? Buffer.allocUnsafeSlow(bytes) : allocate(bytes).subarray(0, bytes);
  }

  /** The whole buffer of a large message, after a part of it has arrived. */
  #grow(part: Buffer): Buffer {
    const message = this.#allocate(this.#messageBytes);
    message.set(part);
    this.#options.release?.(part);
    this.#message = message;
    return message;
  }

  #readBody(view: Uint8Array, at: number): number {
    this.#message ??= this.#allocate(Math.min(this.#messageBytes, FIRST_BYTES));
    const message = this.#message;
    const end = Math.min(view.length, at + message.length - this.#received);
    message.set(view.subarray(at, end), this.#received);
    this.#received += end - at;
    if (this.#received === this.#messageBytes) this.#complete(message);
    else if (this.#received === message.length) this.#grow(message);
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
  /** Receives a buffer that the assembler does not use any more. */
  readonly release?: ((buffer: Buffer) => void) | undefined;
  /** Called with each message, in order. */
  readonly onMessage: (message: Buffer) => void;
}
