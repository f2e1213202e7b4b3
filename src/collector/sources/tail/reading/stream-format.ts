import { textEncoding } from '../../../../formats/encodings/text-encoding.ts';
import { guessFormatOf, SAMPLE_RECORDS } from '../../../../formats/guess-format.ts';
import type { Position } from '../../../../records/position.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import { AUTOMATIC_FORMAT } from '../files/tail-configuration.ts';

/**
 * The format of one stream. Without a format in the configuration, the first records decide between `syslog`
 * and `plain`, once. The decision is on disk before the first record is sent, so that a restart, also after a
 * crash, continues with the same format. A stream of which an earlier version has sent records stays `plain`.
 */
export class StreamFormat {
  readonly #isAutomatic: boolean;
  #name: string | undefined;
  #isStored: boolean;

  constructor(format: string, { format: decided, start, marks }: DecidedState) {
    this.#isAutomatic = format === AUTOMATIC_FORMAT;
    const [accepted = start] = marks.at(-1) ?? [];
    if (!this.#isAutomatic) this.#name = format;
    else this.#name = decided ?? (accepted > start ? 'plain' : undefined);
    this.#isStored = this.#name !== undefined;
  }

  /** The decision of an automatic format; undefined: there is none, or none is needed. */
  get decided(): string | undefined {
    return this.#isAutomatic ? this.#name : undefined;
  }

  get isUndecided(): boolean {
    return this.#name === undefined;
  }

  /** A decision is on disk, or none is needed. */
  get isStored(): boolean {
    return this.#isStored;
  }

  /** Called when a checkpoint with the decision is on disk. */
  noteStored(): void {
    this.#isStored = this.#name !== undefined;
  }

  /** `data`: the records of a batch, one after the other, in an encoding; by default UTF-8. */
  of(data: Uint8Array, sizes: Uint32Array, encoded: EncodedAt = UTF8): string {
    this.#name ??= guessFormatOf(firstRecords(data, sizes, encoded), ['syslog']) ?? 'plain';
    return this.#name;
  }
}

type DecidedState = Pick<FileCheckpoint, 'format' | 'start' | 'marks'>;

/** The encoding of bytes and their position in the file. */
interface EncodedAt {
  readonly encoding: string | undefined;
  readonly position: Position;
}

const UTF8: EncodedAt = { encoding: undefined, position: 0 };

function firstRecords(
  data: Uint8Array,
  sizes: Uint32Array,
  { encoding, position }: EncodedAt,
): readonly Uint8Array[] {
  const decoder = textEncoding(encoding);
  let end = 0;
  return Array.from(sizes.subarray(0, SAMPLE_RECORDS), (size) => {
    const start = end;
    end += size;
    const record = data.subarray(start, end);
    return decoder === undefined ? record : Buffer.from(decoder.decode(record, position + start).text);
  });
}
