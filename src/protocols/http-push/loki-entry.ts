import { LIMITS } from '../../records/limits.ts';
import { PushFault } from './push-fault.ts';
import { PUSH_LIMITS, TOO_MANY_RECORDS } from './push-limits.ts';

/** One entry of a stream of Loki, and the labels of the stream. */
export interface LokiEntry {
  /** As a JSON array, as Loki's JSON has it. */
  readonly bytes: Uint8Array;
  /** A JSON object; undefined: in the entry. */
  readonly labels: string | undefined;
  /** The size of a line of which only the beginning is in the entry. */
  readonly truncatedFrom: number | undefined;
}

/** Larger labels are in each entry: a batch has a limit for the attributes of its peers. */
const LARGEST_SHARED_LABELS_BYTES = 4096;
/** For LF and a little more. */
const RESERVE_BYTES = 16;

export interface EntryParts {
  readonly time: string;
  /** In latin1, so that bytes that are not UTF-8 are kept. */
  readonly line: string;
  /** A JSON object in latin1; undefined: none. */
  readonly metadata: string | undefined;
}

/** Collects the entries of a request: a small request with large labels must not become many times as large. */
export class LokiEntries {
  readonly #entries: LokiEntry[] = [];
  #bytes = 0;

  get all(): readonly LokiEntry[] {
    return this.#entries;
  }

  /** `labels`: a JSON object. Throws a PushFault above a limit. */
  add(parts: EntryParts, labels: string): void {
    const entry = encoded(parts, labels);
    this.#bytes += entry.bytes.length;
    const isFull =
      this.#entries.length === PUSH_LIMITS.requestRecords || this.#bytes > PUSH_LIMITS.encodedBytes;
    if (isFull) throw new PushFault(TOO_MANY_RECORDS);
    this.#entries.push(entry);
  }
}

function encoded({ time, line, metadata }: EntryParts, labels: string): LokiEntry {
  const isShared = labels.length <= LARGEST_SHARED_LABELS_BYTES;
  const embedded = isShared ? [] : [latin1(labels)];
  const own = metadata ?? (isShared ? undefined : '{}');
  const tail = [...(own === undefined ? [] : [own]), ...embedded].map((each) => `,${each}`).join('');
  const head = `[${JSON.stringify(time)},`;
  const roomBytes = LIMITS.recordBytes - head.length - tail.length - RESERVE_BYTES;
  const text = fitted(line, roomBytes);
  return {
    bytes: Buffer.from(`${head}${text.json}${tail}]`, 'latin1'),
    labels: isShared ? labels : undefined,
    truncatedFrom: text.isCut ? line.length : undefined,
  };
}

/** UTF-8 bytes, each as a character. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** The beginning of a line that fits. Control characters are up to 6 bytes in JSON. */
function fitted(line: string, roomBytes: number): { readonly json: string; readonly isCut: boolean } {
  let kept = line.slice(0, roomBytes);
  let json = JSON.stringify(kept);
  while (json.length > roomBytes) {
    kept = kept.slice(0, Math.floor((kept.length * roomBytes) / json.length) - 1);
    json = JSON.stringify(kept);
  }
  const isCut = kept.length < line.length;
  while (isCut && isContinuation(line.charCodeAt(kept.length))) kept = kept.slice(0, -1);
  return { json: isCut ? JSON.stringify(kept) : json, isCut };
}

/** A byte of UTF-8 that is not the first one of its character. */
function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
