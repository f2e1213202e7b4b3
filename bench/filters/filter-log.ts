import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { AccessLog, type WrittenLog } from '../access-log.ts';

/** The fields of a record that are compared. */
export interface FilteredRecord {
  /** With its query, which is unique in the log. */
  readonly path: string;
  readonly status: number;
  readonly isMarked: boolean;
}

/** The records of an output, in their order. */
export interface FilteredRecords {
  readonly records: number;
  readonly marked: number;
  /** SHA-256 of all compared fields. */
  readonly digest: string;
}

export interface FilterLog extends WrittenLog {
  /** A correct output. */
  readonly expected: FilteredRecords;
}

const HEALTH_EVERY = 10;
const FIRST_FAILED_STATUS = 500;
const CHUNK_LINES = 10_000;

/**
 * Writes an access log in which every tenth path begins with /health. Returns the records that a filter keeps and
 * marks, known from the generated lines.
 */
export async function writeFilterLog(path: string, megabytes: number): Promise<FilterLog> {
  const log = new AccessLog(4);
  const expected = new FilteredRecordsCounter();
  let bytes = 0;
  await writeFile(path, '');
  while (bytes < megabytes * 1e6) {
    const chunk = Buffer.from(linesOf(log, expected), 'latin1');
    await writeFile(path, chunk, { flag: 'a', flush: true });
    bytes += chunk.length;
  }
  return { path, bytes, lines: log.lines, expected: expected.result() };
}

function linesOf(log: AccessLog, expected: FilteredRecordsCounter): string {
  let text = '';
  for (let count = 0; count < CHUNK_LINES; count++) {
    const isHealth = log.lines % HEALTH_EVERY === 0;
    const line = log.line();
    if (isHealth) text += line.replace(' /', ' /health/');
    else {
      text += line;
      expected.add(recordOf(line));
    }
  }
  return text;
}

function recordOf(line: string): FilteredRecord {
  const [, path = '', status = ''] = /"[A-Z]+ ([^ ]+) HTTP\/1\.1" (\d+) /.exec(line) ?? [];
  return { path, status: Number(status), isMarked: Number(status) >= FIRST_FAILED_STATUS };
}

/** Counts records without keeping them. */
export class FilteredRecordsCounter {
  #hash = createHash('sha256');
  #records = 0;
  #marked = 0;

  add({ path, status, isMarked }: FilteredRecord): void {
    this.#hash.update(`${path} ${status} ${isMarked}\n`);
    this.#records++;
    if (isMarked) this.#marked++;
  }

  result(): FilteredRecords {
    return { records: this.#records, marked: this.#marked, digest: this.#hash.copy().digest('hex') };
  }
}
