import { utf16OfMark, utf32OfMark } from '../../../../formats/encodings/byte-order-mark.ts';
import { encodingMisfit } from '../../../../formats/encodings/encoding-misfit.ts';
import { isByteOrderOpen, isLittleEndian } from '../../../../formats/encodings/unit-bytes.ts';
import { ENCODING } from '../../../../formats/marker-attributes.ts';
import type { DetectedEncodings } from '../detected-encodings.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import type { TailEntry } from '../files/tail-configuration.ts';

/** The number of bytes at the beginning of a file that decide. */
export const ENCODING_SAMPLE_BYTES = 256;

/**
 * The encoding of one stream. It is the one of the configuration, or decided once, by the beginning of the file:
 *
 *     configured              the beginning decides
 *     utf-16, utf-32          the byte order; without a mark, that of the earlier file at this path, or little-endian
 *     nothing                 UTF-16 for a file with its mark; without a mark, UTF-16 if the earlier file at this path
 *                             was, and the bytes look like it (a truncated file has no mark any more); otherwise UTF-8
 *
 * A stream whose bytes an earlier version has sent without a decision stays as it was. The decision needs no flush before
 * the records are sent: until the checkpoint has it, the same bytes decide again.
 */
export class StreamEncoding {
  readonly #configured: string | undefined;
  readonly #lineage: string;
  readonly #earlier: DetectedEncodings | undefined;
  #name: string | undefined;
  #isUndecided: boolean;

  constructor(
    { format, resource }: Pick<TailEntry, 'format' | 'resource'>,
    { encoding: decided, start, marks, lineage }: DecidedState,
    earlier?: DetectedEncodings,
  ) {
    this.#configured = resource.get(ENCODING);
    this.#lineage = lineage;
    this.#earlier = earlier;
    const [accepted = start] = marks.at(-1) ?? [];
    const isOpen = isByteOrderOpen(this.#configured);
    const isMisfit = encodingMisfit(format, 'utf-16le') !== undefined;
    const isDetectable = this.#configured === undefined && !isMisfit;
    const kept = isOpen || isDetectable ? decided : undefined;
    if (kept?.startsWith(this.#configured ?? 'utf-16')) this.#name = kept;
    else if (!isOpen) this.#name = this.#configured;
    const isFresh = accepted === start && decided === undefined;
    this.#isUndecided = this.#name === undefined && (isOpen || (isDetectable && isFresh));
    if (this.detected !== undefined) earlier?.note(lineage, this.detected);
  }

  /** undefined: UTF-8. */
  get name(): string | undefined {
    return this.#name;
  }

  get isUndecided(): boolean {
    return this.#isUndecided;
  }

  /** The decision about the beginning of the file; undefined: there is none, or the configuration has it all. */
  get detected(): string | undefined {
    return this.#name === this.#configured ? undefined : this.#name;
  }

  /** `beginning`: the first bytes of the file. True when they have decided for an encoding that is not configured. */
  decide(beginning: Uint8Array): boolean {
    if (beginning.length < 2) return false;
    this.#isUndecided = false;
    this.#name = this.#decided(beginning);
    if (this.#name === undefined) return false;
    this.#earlier?.note(this.#lineage, this.#name);
    return this.#configured === undefined;
  }

  #decided(beginning: Uint8Array): string | undefined {
    const earlier = this.#earlier?.of(this.#lineage);
    const configured = this.#configured;
    const marked = configured === 'utf-32' ? utf32OfMark(beginning) : utf16OfMark(beginning);
    if (marked !== undefined) return marked;
    if (configured !== undefined) return earlier?.startsWith(configured) ? earlier : `${configured}le`;
    return earlier !== undefined && looksLike(beginning, earlier) ? earlier : undefined;
  }
}

type DecidedState = Pick<FileCheckpoint, 'encoding' | 'start' | 'marks' | 'lineage'>;

/** Whether a character of ASCII in UTF-16 is among the bytes. UTF-8 has no NUL bytes. */
function looksLike(beginning: Uint8Array, encoding: string): boolean {
  const first = isLittleEndian(encoding) ? 1 : 0;
  for (let at = first; at < beginning.length; at += 2) if (beginning[at] === 0) return true;
  return false;
}
