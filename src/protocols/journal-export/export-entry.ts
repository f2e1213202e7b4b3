import { EXPORT_LIMITS, SHORTENED_FIELD } from './export-limits.ts';

/** One entry of a journal, as export bytes. The same input makes the same bytes. */
export interface ExportEntry {
  /** All fields, and the empty line that ends the entry. */
  readonly bytes: Buffer;
  readonly cursor: string | undefined;
  /** Some fields were too long. */
  readonly isShortened: boolean;
}

const CURSOR = Buffer.from('__CURSOR=');
const LF = Buffer.from('\n');
/** Room for the list of the shortened fields. */
const RESERVED_BYTES = 4096;
const MAX_LISTED_NAMES = 32;

/** Collects the fields of an entry, within the limits. */
export class EntryUnderWay {
  #fields: Buffer[] = [];
  #bytes = 0;
  #cursor: string | undefined;
  #shortened = new Set<string>();

  get isEmpty(): boolean {
    return this.#fields.length === 0 && this.#shortened.size === 0;
  }

  /** Adds a complete field, line feed included. */
  add(field: Buffer, name: string): void {
    const isOver =
      this.#bytes + field.length > EXPORT_LIMITS.entryBytes - RESERVED_BYTES ||
      this.#fields.length >= EXPORT_LIMITS.entryFields;
    if (isOver) return this.shorten(name);
    this.#fields.push(field);
    this.#bytes += field.length;
    if (this.#cursor === undefined && field.subarray(0, CURSOR.length).equals(CURSOR))
      this.#cursor = field.subarray(CURSOR.length, -1).toString('latin1');
  }

  /** A field of this name is not complete. */
  shorten(name: string): void {
    if (this.#shortened.size < MAX_LISTED_NAMES) this.#shortened.add(name.slice(0, MAX_NAME_CHARACTERS));
  }

  /** Ends the entry, and begins the next one. */
  end(): ExportEntry {
    const isShortened = this.#shortened.size > 0;
    const list = isShortened ? [Buffer.from(`${SHORTENED_FIELD}=${[...this.#shortened].join(',')}\n`)] : [];
    const entry = { bytes: Buffer.concat([...this.#fields, ...list, LF]), cursor: this.#cursor, isShortened };
    this.#fields = [];
    this.#bytes = 0;
    this.#cursor = undefined;
    this.#shortened = new Set();
    return entry;
  }
}

/** As journald's own limit of a name. */
const MAX_NAME_CHARACTERS = 64;
