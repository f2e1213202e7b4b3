import { restored } from '../chaos-filter.ts';
import { LateLines } from '../late-lines.ts';
import { type Audit, type DueLog, LineAudit } from '../line-audit.ts';
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
  isFiltered: boolean | undefined = false,
): Promise<StoreAudit> {
  const lines = new LineAudit(written, isFiltered);
  const places = new PlaceAudit(new LateLines(written.flatMap(({ late = [] }) => late)), isFiltered);
  for await (const rows of batches) {
    for (const row of rows) {
      lines.line(row.body, `${row.stream}:${row.position}`);
      places.row(row);
    }
  }
  const { sameIdentity, misplaced, examples } = places;
  const audit = lines.result();
  return { ...audit, sameIdentity, misplaced, examples: [...audit.examples, ...examples] };
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
