import { ColumnBytes } from './column-bytes.ts';
import { MAX_LENGTH_BYTES, writeBytes, writeInt16, writeInt64, writeText } from './row-binary.ts';

/** The types that are sent. The server converts texts to LowCardinality, if the column of the table is so. */
export type NativeType = 'String' | 'FixedString(32)' | 'Int16' | 'Int64' | "DateTime64(6, 'UTC')";

export interface NativeColumnPlan {
  readonly name: string;
  readonly type: NativeType;
  readonly isNullable: boolean;
}

/**
 * A column of a block in ClickHouse's format Native: all marks of null, then all values. A null has a value, too:
 * zero, or the empty text.
 */
export class NativeColumn {
  readonly values = new ColumnBytes();
  /** Empty if no value can be null. */
  readonly nulls = new ColumnBytes();
  readonly #plan: NativeColumnPlan;
  readonly #zero: Uint8Array;

  constructor(plan: NativeColumnPlan) {
    this.#plan = plan;
    this.#zero = ZEROS[plan.type];
  }

  addNull(): void {
    this.#mark(IS_NULL);
    const values = this.values;
    const frame = values.reserve(this.#zero.length);
    for (let index = 0; index < this.#zero.length; index++) frame[values.offset + index] = 0;
    values.offset += this.#zero.length;
  }

  addInt16(value: number): void {
    this.#mark(NOT_NULL);
    const values = this.values;
    values.offset = writeInt16(values.reserve(2), values.offset, value);
  }

  addInt64(value: number): void {
    this.#mark(NOT_NULL);
    const values = this.values;
    values.offset = writeInt64(values.reserve(8), values.offset, value);
  }

  addText(text: string): void {
    this.#mark(NOT_NULL);
    const values = this.values;
    const frame = values.reserve(text.length * MAX_UNIT_BYTES + MAX_LENGTH_BYTES);
    values.offset = writeText(frame, values.offset, text);
  }

  addNullableText(text: string | null): void {
    if (text === null) this.addNull();
    else this.addText(text);
  }

  /** A part of the bytes of a batch, as text. */
  addBytes(data: Uint8Array, start: number, end: number): void {
    this.#mark(NOT_NULL);
    const values = this.values;
    const frame = values.reserve(end - start + MAX_LENGTH_BYTES);
    values.offset = writeBytes(frame, values.offset, data, start, end);
  }

  /** The caller writes the value. */
  addPresent(): ColumnBytes {
    this.#mark(NOT_NULL);
    return this.values;
  }

  /** The same value for the next rows. */
  repeat({ isNull, bytes }: RepeatedValue, rows: number): void {
    if (this.#plan.isNullable) this.nulls.repeat(isNull ? ONE : ZERO, rows);
    this.values.repeat(bytes, rows);
  }

  get frames(): readonly Buffer[] {
    const { name, type, isNullable } = this.#plan;
    const typeName = isNullable ? `Nullable(${type})` : type;
    const head = Buffer.alloc(name.length + typeName.length + 2 * MAX_LENGTH_BYTES);
    const headEnd = writeText(head, writeText(head, 0, name), typeName);
    return [head.subarray(0, headEnd), ...this.nulls.frames, ...this.values.frames];
  }

  get capacityBytes(): number {
    return this.nulls.capacityBytes + this.values.capacityBytes;
  }

  /** Removes all values. */
  clear(): void {
    this.nulls.clear();
    this.values.clear();
  }

  #mark(mark: number): void {
    if (!this.#plan.isNullable) return;
    const nulls = this.nulls;
    nulls.reserve(1)[nulls.offset] = mark;
    nulls.offset++;
  }
}

/** An encoded value. */
export interface RepeatedValue {
  readonly isNull: boolean;
  readonly bytes: Uint8Array;
}

/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const MAX_UNIT_BYTES = 3;
const IS_NULL = 1;
const NOT_NULL = 0;
const ONE = Uint8Array.of(IS_NULL);
const ZERO = Uint8Array.of(NOT_NULL);
const ZEROS: Readonly<Record<NativeType, Uint8Array>> = {
  String: new Uint8Array(1),
  'FixedString(32)': new Uint8Array(32),
  Int16: new Uint8Array(2),
  Int64: new Uint8Array(8),
  "DateTime64(6, 'UTC')": new Uint8Array(8),
};
