import type { MessageReader } from './message-reader.ts';
import { StructuredDataShape } from './structured-data-shape.ts';
import type { StructuredData } from './structured-data-value.ts';

/**
 * The shapes of recent structured data. Most messages of a program have the same one, and to compare its text takes a
 * third of the time that reading and looking up each name takes.
 */
export class KnownShapes {
  readonly #shapes: StructuredDataShape[] = [];
  #added = 0;
  #unknown = 0;

  /** Reads structured data of a known shape; undefined: it has another one. The cursor is then unchanged. */
  readAt(message: MessageReader): StructuredData | undefined {
    for (const shape of this.#shapes) {
      const data = shape.readAt(message);
      if (data !== undefined) return data;
    }
    return undefined;
  }

  /** Keeps the shape of `data`, whose text has `sizeBytes`, if it is not long, and for some messages only. */
  add(data: StructuredData, sizeBytes: number): void {
    if (sizeBytes > MAX_SIZE_BYTES || this.#unknown++ % ADDED_EVERY !== 0) return;
    this.#shapes[this.#added++ % MAX_SHAPES] = new StructuredDataShape(data);
  }
}

/** Each shape that does not fit takes a few nanoseconds. */
const MAX_SHAPES = 4;
const MAX_SIZE_BYTES = 1024;
/** A shape takes longer to make than a message to read: names that are always new must not slow the others down. */
const ADDED_EVERY = 32;
