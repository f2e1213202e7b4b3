import { ATTRIBUTE_COLUMNS } from '../../logstore/log-columns.ts';
import type { LogRow } from '../../logstore/log-row.ts';
import { NativeColumn, type NativeColumnPlan, type RepeatedValue } from './native-column.ts';
import { MAX_LENGTH_BYTES, writeInt64, writeLength, writeText } from './row-binary.ts';

/**
 * The rows of one day, as a block of ClickHouse's format Native. The server reads a column of it at once, which is
 * much cheaper than reading values of many types row by row. One block: the server stores it completely or not at all.
 *
 * The columns that records of a batch usually share are kept as runs of equal values.
 *
 * A block is used again after `clear`, with the same memory: see `spare-blocks.ts`.
 */
export class DayBlock {
  readonly time = new NativeColumn(TIME);
  readonly position = new NativeColumn(POSITION);
  readonly severityNumber = new NativeColumn(SEVERITY_NUMBER);
  readonly severityText = new NativeColumn(SEVERITY_TEXT);
  readonly body = new NativeColumn(BODY);
  readonly attributes = new NativeColumn(ATTRIBUTES);
  /** In the order of ATTRIBUTE_COLUMNS. */
  readonly columns: readonly NativeColumn[] = ATTRIBUTES_WITH_COLUMN.map((plan) => new NativeColumn(plan));
  readonly #shared: readonly NativeColumn[] = SHARED.map((plan) => new NativeColumn(plan));
  #rows = 0;
  #runs: Run[] = [];
  #run: Run | undefined;

  get rows(): number {
    return this.#rows;
  }

  /** Every other column gets a value for the row, too. */
  beginRow(shared: SharedFields): void {
    this.#rows++;
    if (this.#run?.shared !== shared) {
      this.#run = { shared, rows: 0 };
      this.#runs.push(this.#run);
    }
    this.#run.rows++;
  }

  get frames(): readonly Buffer[] {
    this.#writeShared();
    const all = this.#all;
    const head = Buffer.alloc(2 * MAX_LENGTH_BYTES);
    const headEnd = writeLength(head, writeLength(head, 0, all.length), this.#rows);
    return [head.subarray(0, headEnd), ...all.flatMap((column) => column.frames)];
  }

  get capacityBytes(): number {
    return this.#all.reduce((sum, column) => sum + column.capacityBytes, 0);
  }

  /** Removes all rows. */
  clear(): void {
    for (const column of this.#all) column.clear();
    this.#rows = 0;
    this.#runs = [];
    this.#run = undefined;
  }

  get #all(): readonly NativeColumn[] {
    const { time, position, severityNumber, severityText, body, attributes } = this;
    const columns = [time, position, severityNumber, severityText, body, attributes, ...this.columns];
    return [...this.#shared, ...columns];
  }

  #writeShared(): void {
    for (const [index, column] of this.#shared.entries()) {
      column.clear();
      for (const { shared, rows } of this.#runs) column.repeat(shared.values[index] as RepeatedValue, rows);
    }
  }
}

/** The fields that are equal for all records of a batch with this host and service. */
export interface SharedFields extends Pick<LogRow, 'host' | 'service'> {
  /** In the order of SHARED. */
  readonly values: readonly RepeatedValue[];
}

export function sharedFields(row: LogRow): SharedFields {
  const { observedTimeUnixMicro, host, service, source, format, stream } = row;
  const observed = Buffer.alloc(8);
  writeInt64(observed, 0, observedTimeUnixMicro);
  const values = [
    { isNull: false, bytes: observed },
    ...[host, service, source, format].map(textValue),
    { isNull: false, bytes: Buffer.from(stream, 'latin1') },
  ];
  return { host, service, values };
}

interface Run {
  readonly shared: SharedFields;
  rows: number;
}

function textValue(text: string | null): RepeatedValue {
  const bytes = Buffer.alloc(Buffer.byteLength(text ?? '') + MAX_LENGTH_BYTES);
  return { isNull: text === null, bytes: bytes.subarray(0, writeText(bytes, 0, text ?? '')) };
}

const SHARED: readonly NativeColumnPlan[] = [
  { name: 'observed_time', type: "DateTime64(6, 'UTC')", isNullable: false },
  { name: 'host', type: 'String', isNullable: true },
  { name: 'service', type: 'String', isNullable: true },
  { name: 'source', type: 'String', isNullable: true },
  { name: 'format', type: 'String', isNullable: false },
  { name: 'stream', type: 'FixedString(32)', isNullable: false },
];
const TIME = { name: 'time', type: "DateTime64(6, 'UTC')", isNullable: false } as const;
const POSITION = { name: 'position', type: 'Int64', isNullable: false } as const;
const SEVERITY_NUMBER = { name: 'severity_number', type: 'Int16', isNullable: true } as const;
const SEVERITY_TEXT = { name: 'severity_text', type: 'String', isNullable: true } as const;
const BODY = { name: 'body', type: 'String', isNullable: false } as const;
const ATTRIBUTES = { name: 'attributes', type: 'String', isNullable: true } as const;
const TYPES = { text: 'String', smallint: 'Int16', bigint: 'Int64' } as const;
const ATTRIBUTES_WITH_COLUMN: readonly NativeColumnPlan[] = ATTRIBUTE_COLUMNS.map(({ column, type }) => ({
  name: column,
  type: TYPES[type],
  isNullable: true,
}));

export const INSERTED_COLUMNS: readonly string[] = [
  ...SHARED,
  ...[TIME, POSITION, SEVERITY_NUMBER, SEVERITY_TEXT, BODY, ATTRIBUTES],
  ...ATTRIBUTES_WITH_COLUMN,
].map(({ name }) => name);
