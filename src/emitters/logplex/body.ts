import { createHash } from 'node:crypto';
import { MAX_BODY_BYTES } from '../../protocols/logplex/limits.ts';

/** The body of one request: frames without separators. */
export class Body {
  readonly frames: Frame[];
  #sizeBytes: number;

  constructor(frames: Frame[] = []) {
    this.frames = frames;
    this.#sizeBytes = frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  get isEmpty(): boolean {
    return this.frames.length === 0;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#sizeBytes + bytes <= MAX_BODY_BYTES;
  }

  add(frame: Frame): void {
    this.frames.push(frame);
    this.#sizeBytes += frame.bytes.length;
  }

  bytes(): Uint8Array {
    return Buffer.concat(
      this.frames.map(({ bytes }) => bytes),
      this.#sizeBytes,
    );
  }

  halves(): readonly [Body, Body] {
    const middle = this.frames.length >> 1;
    return [new Body(this.frames.slice(0, middle)), new Body(this.frames.slice(middle))];
  }

  /**
   * Equal for the same records with the same bytes, also after a restart. Differs for other records with
   * equal bytes.
   */
  frameId(bytes: Uint8Array): string {
    const hash = createHash('sha256');
    for (const { origin } of this.frames) hash.update(`${origin}\n`);
    return hash.update(bytes).digest('hex').slice(0, FRAME_ID_DIGITS);
  }
}

/** A message, or a part of one, in wire format. */
export interface Frame {
  /** The index of its record in the batch. */
  readonly record: number;
  /** The stream and position of its record. */
  readonly origin: string;
  readonly bytes: Uint8Array;
}

const FRAME_ID_DIGITS = 32;
