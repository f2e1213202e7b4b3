import { restored } from '../chaos-filter.ts';
import { LateLines } from '../late-lines.ts';
import { type Audit, type DueLog, LineAudit } from '../line-audit.ts';
import { SplitLines } from '../split-lines.ts';
import type { StoredRow } from './chaos-store.ts';

export interface StoreAudit extends Audit {
  /** Rows with the stream and position of another row. */
  readonly sameIdentity: number;
  /** Rows that do not begin at the end of the previous row of their stream. */
  readonly misplaced: number;
}

const MAX_EXAMPLES = 4;

/** Checks each row of a store, in the order of `ROWS`: its line, and the position of the line in its file. */
export async function auditRows(
  batches: AsyncIterable<readonly StoredRow[]>,
  written: readonly DueLog[],
  isFiltered = false,
): Promise<StoreAudit> {
  const lines = new LineAudit(written, { isFiltered });
  const split = new SplitRows(isFiltered ? written.map(({ name }) => name) : []);
  const places = new PlaceAudit(new LateLines(written.flatMap(({ late = [] }) => late)), isFiltered);
  for await (const rows of batches) {
    for (const row of rows) {
      lines.line(row.body, `${row.stream}:${row.position}`);
      const whole = split.add(row);
      if (whole !== undefined) places.row(whole);
    }
  }
  const { sameIdentity, examples } = places;
  const misplaced = places.misplaced + split.misplaced;
  const audit = lines.result();
  return { ...audit, sameIdentity, misplaced, examples: [...audit.examples, ...examples] };
}

/** The parts of a split line have the positions of the first bytes of the line. */
class SplitRows {
  misplaced = 0;
  readonly #lines: SplitLines;
  #first: StoredRow | undefined;
  #parts = 0;

  constructor(logs: readonly string[]) {
    this.#lines = new SplitLines(logs);
  }

  /** undefined: further parts are due. */
  add(row: StoredRow): StoredRow | undefined {
    const { text, isJoined, isTorn } = this.#lines.add(row.body);
    if (isTorn) this.#parts = 0;
    if (this.#parts === 0) this.#first = row;
    const { stream, position } = this.#first ?? row;
    if (row.stream !== stream || row.position !== position + this.#parts) this.misplaced += 1;
    this.#parts += 1;
    if (text === undefined) return undefined;
    this.#parts = 0;
    return isJoined ? { ...row, position, body: text } : row;
  }
}

/** Lines are ASCII and end with one byte that is not part of the body. The first part of a line has no end. */
class PlaceAudit {
  readonly examples: string[] = [];
  sameIdentity = 0;
  misplaced = 0;
  readonly #late: LateLines;
  #before: StoredRow | undefined;

  readonly #mayHaveGaps: boolean;

  constructor(late: LateLines, mayHaveGaps: boolean) {
    this.#mayHaveGaps = mayHaveGaps;
    this.#late = late;
  }

  #asWritten(body: string): string {
    return this.#mayHaveGaps ? (restored(body) ?? body) : body;
  }

  row(row: StoredRow): void {
    const before = this.#before;
    this.#before = row;
    if (before === undefined || before.stream !== row.stream) return;
    const ending = this.#late.isFirstPart(this.#asWritten(before.body)) ? 0 : 1;
    const due = before.position + before.body.length + ending;
    if (row.position === due || (this.#mayHaveGaps && row.position > due)) return;
    if (row.position === before.position) this.sameIdentity += 1;
    else this.misplaced += 1;
    if (this.examples.length < MAX_EXAMPLES) {
      this.examples.push(`${row.stream}: a row at ${row.position} where ${due} was due`);
    }
  }
}
