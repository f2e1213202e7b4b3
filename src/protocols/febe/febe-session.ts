import { type FebeFault, febeFault } from './febe-fault.ts';
import { FEBE_LIMITS, type FebeLimits } from './febe-limits.ts';
import { FrameReader } from './frame-reader.ts';
import { LogShape } from './log-shape.ts';
import { parseServerVersion, type ServerVersion } from './server-version.ts';

/**
 * One connection of a PostgreSQL process that runs the pg_logfebe extension, from the first byte to the last:
 *
 *     expect V --V--> expect I --I--> expect L --L--> expect L ... end of stream
 *
 * Anything else is a fault, and the connection must be closed. The protocol is one-way, without responses.
 *
 * V and I contain a text and its NUL. The extension assumes that `sizeof '\0'` is one byte, but in C it is
 * four, so the I frame is three bytes too long and contains three bytes of the server's memory. Bytes after
 * the NUL are never read, passed on or logged.
 */
export class FebeSession {
  readonly #frames = new FrameReader();
  readonly #handler: FebeHandler;
  readonly #limits: FebeLimits;
  #expected: number = FRAME_TYPES.version;

  constructor(handler: FebeHandler, limits: FebeLimits = FEBE_LIMITS) {
    this.#handler = handler;
    this.#limits = limits;
  }

  /** Version and identity were received and accepted. */
  get established(): boolean {
    return this.#expected === FRAME_TYPES.record;
  }

  /** Processes the next bytes, split anywhere. After a fault the session must not be used again. */
  push(chunk: Uint8Array): FebeFault | undefined {
    return this.#frames.push(chunk, this);
  }

  /** Called when the peer has closed. Returns a fault if it closed inside a frame. */
  end(): FebeFault | undefined {
    if (this.#frames.pendingBytes === 0) return undefined;
    return febeFault('truncated', 'the connection ended inside a frame');
  }

  /** For the frame reader. */
  admit(type: number): number | FebeFault {
    if (type !== this.#expected) {
      const found = `0x${type.toString(16).padStart(2, '0')}`;
      return febeFault(
        'unexpected frame',
        `expected a frame of type ${String.fromCharCode(this.#expected)}, got type ${found}`,
      );
    }
    return type === FRAME_TYPES.record ? this.#limits.recordLengthBytes : this.#limits.startupLengthBytes;
  }

  /** For the frame reader. */
  frame(type: number, payload: Uint8Array): FebeFault | undefined {
    if (type === FRAME_TYPES.record) {
      const fault = SHAPE.measure(payload);
      return fault ?? this.#handler.record(payload, SHAPE);
    }
    return type === FRAME_TYPES.version ? this.#version(payload) : this.#identity(payload);
  }

  #version(payload: Uint8Array): FebeFault | undefined {
    const text = untilNul(payload);
    if (text === undefined) return febeFault('bad version', 'the version frame has no NUL');
    const version = parseServerVersion(Buffer.from(text).toString());
    if ('kind' in version) return version;
    this.#expected = FRAME_TYPES.identity;
    return this.#handler.version(version);
  }

  #identity(payload: Uint8Array): FebeFault | undefined {
    const identity = untilNul(payload);
    if (identity === undefined) return febeFault('bad identity', 'the identity frame has no NUL');
    this.#expected = FRAME_TYPES.record;
    return this.#handler.identity(identity);
  }
}

/**
 * Receives the content of a session. All bytes are valid only during the call. A returned fault ends the
 * session.
 */
export interface FebeHandler {
  version(version: ServerVersion): FebeFault | undefined;
  identity(identity: Uint8Array): FebeFault | undefined;
  /** `payload` is a complete, valid L payload, and `shape` describes its fields. */
  record(payload: Uint8Array, shape: LogShape): FebeFault | undefined;
}

export const FRAME_TYPES = { version: 0x56, identity: 0x49, record: 0x4c } as const; // V, I, L

/** Filled and read within one call, so one object serves all sessions. */
const SHAPE = new LogShape();

function untilNul(payload: Uint8Array): Uint8Array | undefined {
  const nul = payload.indexOf(0);
  return nul < 0 ? undefined : payload.subarray(0, nul);
}
