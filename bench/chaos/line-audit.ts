import { createReadStream } from 'node:fs';
import { isDropped, restored } from './chaos-filter.ts';
import { isFrameLine } from './frame-line.ts';
import { LateLines } from './late-lines.ts';
import { parseNumberedLine } from './numbered-line.ts';
import { SplitLines } from './split-lines.ts';

export interface Audit {
  /** All lines, including those without a number. */
  readonly lines: number;
  readonly missing: number;
  readonly doubled: number;
  /** Lines that came after a later line of their log, except doubled ones. */
  readonly disordered: number;
  readonly damaged: number;
  /** Lines that came in two parts, because the writer was late (`LateLines`). */
  readonly cut: number;
  /** The first few findings of each kind, for a person. */
  readonly examples: readonly string[];
}

/** What is due of one log. */
export interface DueLog {
  readonly name: string;
  /** The number of its first line. Default: 0. */
  readonly first?: number;
  readonly lines: number;
  /** Lines that may come in two parts. */
  readonly late?: readonly string[];
}

interface Seen {
  readonly first: number;
  readonly numbers: Uint8Array;
  expected: number;
}

const MAX_EXAMPLES_OF_A_KIND = 4;

/** Checks all emitted lines and reports all faults. */
export class LineAudit {
  readonly #logs: Map<string, Seen>;
  readonly #written: ReadonlyMap<string, number>;
  readonly #examples = new Map<string, string[]>();
  readonly #late: LateLines;
  #lines = 0;
  #doubled = 0;
  #disordered = 0;
  #damaged = 0;

  readonly #isFiltered: boolean;
  readonly #mayBeTorn: boolean;
  readonly #split: SplitLines;

  /**
   * `isFiltered`: the lines passed the filter of `chaos-filter.ts`. A dropped line counts as doubled if it comes.
   * `mayBeTorn`: some parts of a split line may come without the rest, before the whole line comes.
   */
  constructor(logs: readonly DueLog[], { isFiltered = false, mayBeTorn = false } = {}) {
    this.#isFiltered = isFiltered;
    this.#mayBeTorn = mayBeTorn;
    this.#split = new SplitLines(isFiltered ? logs.map(({ name }) => name) : []);
    this.#late = new LateLines(logs.flatMap(({ late = [] }) => late));
    this.#written = new Map(logs.map(({ name, lines }) => [name, lines]));
    this.#logs = new Map(
      logs.map(({ name, first = 0, lines }) => [
        name,
        { first, numbers: this.#due(first, lines), expected: first },
      ]),
    );
  }

  /** Without the line ending. */
  line(part: string, where: string): void {
    const { text, isJoined, isTorn } = this.#split.add(part);
    if (isTorn && !this.#mayBeTorn) this.#damage(`a part of a split line before ${part}`, where);
    if (text === undefined) return;
    // An unchanged line that the filter must change is damaged.
    const isChanged = this.#isFiltered && !isJoined;
    this.#whole(isChanged ? (restored(text) ?? `not changed: ${text}`) : text, where);
  }

  #damage(text: string, where: string): void {
    this.#damaged += 1;
    this.#note('damaged', `${where}: damaged: ${JSON.stringify(text.slice(0, 120))}`);
  }

  #whole(part: string, where: string): void {
    const text = this.#late.join(part);
    if (text === undefined) return;
    this.#lines += 1;
    if (isFrameLine(text)) return;
    const head = parseNumberedLine(text);
    const seen = head && this.#logs.get(head.log);
    const index = head === undefined || seen === undefined ? -1 : head.number - seen.first;
    if (head === undefined || seen === undefined || index < 0 || index >= seen.numbers.length) {
      this.#damage(text, where);
    } else if (seen.numbers[index] === 1) {
      this.#doubled += 1;
      this.#note('doubled', `${where}: again: ${head.log} ${head.number}`);
    } else {
      seen.numbers[index] = 1;
      if (head.number < seen.expected) this.#disordered += 1;
      if (head.number !== seen.expected) {
        this.#note('order', `${where}: ${head.log} ${head.number} where ${seen.expected} was due`);
      }
      seen.expected = Math.max(seen.expected, head.number + 1);
    }
  }

  result(): Audit {
    if (this.#split.isOpen && !this.#mayBeTorn) this.#damage('a part of a split line', 'the end');
    const missing = [...this.#logs].reduce((sum, [name, seen]) => sum + this.#missingOf(name, seen), 0);
    return {
      lines: this.#lines,
      missing,
      doubled: this.#doubled,
      disordered: this.#disordered,
      damaged: this.#damaged,
      cut: this.#late.cut,
      examples: [...this.#examples.values()].flat(),
    };
  }

  #due(first: number, lines: number): Uint8Array {
    const isDone = (index: number) => this.#isFiltered && isDropped(first + index);
    return Uint8Array.from({ length: lines }, (_, index) => (isDone(index) ? 1 : 0));
  }

  #missingOf(name: string, { first: begin, numbers }: Seen): number {
    const missing = numbers.reduce((sum, seen) => sum + (1 - seen), 0);
    if (missing > 0) {
      const first = begin + numbers.indexOf(0);
      const written = this.#written.get(name) ?? 0;
      this.#note('missing', `${name}: ${missing} of ${written} lines missing, the first is ${first}`);
    }
    return missing;
  }

  #note(kind: string, text: string): void {
    const examples = this.#examples.get(kind) ?? [];
    if (examples.length < MAX_EXAMPLES_OF_A_KIND) this.#examples.set(kind, [...examples, text]);
  }
}

/** Audits whole files, in this order, as one text. */
export async function auditFiles(audit: LineAudit, paths: readonly string[]): Promise<void> {
  let rest = '';
  for (const path of paths) {
    let offset = -rest.length;
    for await (const chunk of createReadStream(path, 'latin1') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        audit.line(line, `${path}:${offset}`);
        offset += line.length + 1;
      }
    }
  }
  if (rest !== '') audit.line(rest, 'the last line, without its end');
}
