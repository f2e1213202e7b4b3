import { EntryUnderWay, type ExportEntry } from './export-entry.ts';
import { ExportError } from './export-error.ts';
import { EXPORT_LIMITS } from './export-limits.ts';
import { isFieldName } from './field-name.ts';

const LF = 0x0a;
const EQUALS = 0x3d;
const LENGTH_BYTES = 8;

/**
 * Parses the journal export format (`journalctl -o export`) incrementally. The entries do not depend on how the
 * input is split. Memory is limited: the rest of a long field is skipped without being kept.
 *
 *     NAME=text LF                               a field
 *     NAME LF  length (64 bits, LE)  bytes LF    a field with any bytes
 *     LF                                         the end of the entry
 */
export class ExportParser {
  readonly #entry = new EntryUnderWay();
  /** The beginning of the current line or value, limited. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #isCut = false;
  #phase: 'line' | 'length' | 'value' | 'valueEnd' = 'line';
  #name = '';
  #declared: Buffer = Buffer.alloc(0);
  /** Bytes of the value that have not arrived. */
  #missing = 0;

  /** True between two entries. */
  get isBetweenEntries(): boolean {
    return this.#phase === 'line' && this.#keptBytes === 0 && this.#entry.isEmpty;
  }

  /** Returns the entries that end in these bytes. Throws ExportError; the parser cannot be used afterwards. */
  push(chunk: Buffer): ExportEntry[] {
    const entries: ExportEntry[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (this.#phase === 'line') at = this.#line(chunk, at, entries);
      else if (this.#phase === 'length') at = this.#length(chunk, at);
      else if (this.#phase === 'value') at = this.#value(chunk, at);
      else at = this.#valueEnd(chunk, at);
    }
    return entries;
  }

  #line(chunk: Buffer, from: number, entries: ExportEntry[]): number {
    const end = chunk.indexOf(LF, from);
    if (end === -1) {
      this.#keep(chunk.subarray(from));
      return chunk.length;
    }
    this.#keep(chunk.subarray(from, end));
    const [line, isCut] = this.#take();
    if (line.length > 0) this.#endLine(line, isCut);
    else if (!this.#entry.isEmpty) entries.push(this.#entry.end());
    return end + 1;
  }

  #endLine(line: Buffer, isCut: boolean): void {
    const equals = line.indexOf(EQUALS);
    const name = line.toString('latin1', 0, equals === -1 ? Math.min(line.length, MAX_SHOWN) : equals);
    if (equals > 0) {
      if (isCut) this.#entry.shorten(name);
      this.#entry.add(Buffer.concat([line, Buffer.of(LF)]), name);
    } else if (equals === -1 && isFieldName(name)) {
      this.#name = name;
      this.#phase = 'length';
    } else if (!name.startsWith(NOTICE))
      throw new ExportError(`Expected a field, got ${JSON.stringify(name)}.`);
  }

  #length(chunk: Buffer, from: number): number {
    const end = Math.min(chunk.length, from + LENGTH_BYTES - this.#declared.length);
    this.#declared = Buffer.concat([this.#declared, chunk.subarray(from, end)]);
    if (this.#declared.length < LENGTH_BYTES) return end;
    const declared = this.#declared.readBigUInt64LE();
    if (declared > BigInt(EXPORT_LIMITS.declaredBytes))
      throw new ExportError(`The field ${this.#name} must have at most 2^40 bytes, got ${declared}.`);
    this.#declared = Buffer.alloc(0);
    this.#missing = Number(declared);
    this.#phase = this.#missing === 0 ? 'valueEnd' : 'value';
    return end;
  }

  #value(chunk: Buffer, from: number): number {
    const end = Math.min(chunk.length, from + this.#missing);
    this.#keep(chunk.subarray(from, end));
    this.#missing -= end - from;
    if (this.#missing === 0) this.#phase = 'valueEnd';
    return end;
  }

  #valueEnd(chunk: Buffer, from: number): number {
    if (chunk[from] !== LF) throw new ExportError(`The field ${this.#name} does not end after its length.`);
    const [value, isCut] = this.#take();
    if (isCut) this.#entry.shorten(this.#name);
    this.#entry.add(binaryField(this.#name, value), this.#name);
    this.#phase = 'line';
    return from + 1;
  }

  #keep(bytes: Buffer): void {
    const room = EXPORT_LIMITS.fieldBytes - this.#keptBytes;
    if (bytes.length > room) this.#isCut = true;
    // A copy: the chunk may be a large block of memory, or be used again.
    const kept = Buffer.from(bytes.subarray(0, room));
    if (kept.length === 0) return;
    this.#kept.push(kept);
    this.#keptBytes += kept.length;
  }

  #take(): readonly [Buffer, isCut: boolean] {
    const taken = [Buffer.concat(this.#kept), this.#isCut] as const;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#isCut = false;
    return taken;
  }
}

const MAX_SHOWN = 80;
/** journalctl prints lines such as `-- No entries --` between the fields. */
const NOTICE = '-- ';

/** A field as the export format writes values with line feeds and other control characters. */
export function binaryField(name: string, value: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`, 'latin1'), length, value, Buffer.of(LF)]);
}
