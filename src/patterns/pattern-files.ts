import type { PatternVerdict } from './compile-pattern.ts';
import { PatternError } from './pattern-error.ts';
import { PATTERN_LIBRARY } from './pattern-library.ts';
import { type PatternDefinitions, PatternSet } from './pattern-set.ts';

/**
 * Reads pattern files of Logstash and pyloggr: a line is `NAME regular-expression`, a line that begins with
 * `#` is a comment. A later definition of a name overrides an earlier one, and the library. A line that
 * cannot be used is reported and does not affect the others: for its name, an earlier definition remains.
 */
export function loadPatternFiles(files: readonly PatternFile[]): LoadedPatterns {
  const lines = files.flatMap(readLines);
  const set = new PatternSet([PATTERN_LIBRARY, ...lines.map(({ name, source }) => ({ [name]: source }))]);
  const last = new Map(lines.map((line) => [line.name, line]));
  return { set, lines: lines.map((line) => reportOf(line, set, last.get(line.name) === line)) };
}

export interface PatternFile {
  readonly path: string;
  readonly text: string;
}

export interface LoadedPatterns {
  readonly set: PatternSet;
  readonly lines: readonly PatternLineReport[];
}

export interface PatternLineReport {
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly verdict: PatternVerdict | 'refused' | 'overridden';
  /** Why it is refused, for a person. */
  readonly reason?: string;
  /** It is refused, and an earlier definition of the name is used instead. */
  readonly isReplaced?: boolean;
}

interface PatternLine {
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly source: string;
}

const LINE = /^(\w+)\s+(.+)$/;

function readLines({ path, text }: PatternFile): readonly PatternLine[] {
  return text.split(/\r?\n/).flatMap((content, at) => {
    const trimmed = content.trim();
    const [, name = '', source = ''] = LINE.exec(trimmed) ?? [];
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    return [{ path, line: at + 1, name, source }];
  });
}

function reportOf({ path, line, name }: PatternLine, set: PatternSet, isLast: boolean): PatternLineReport {
  const place = { path, line, name };
  if (name === '')
    return { ...place, verdict: 'refused', reason: 'expected a name, a blank and a regular expression' };
  if (!isLast) return { ...place, verdict: 'overridden' };
  try {
    return { ...place, verdict: set.compileNewest(name).verdict };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return { ...place, verdict: 'refused', reason: error.message, isReplaced: isUsable(name, set) };
  }
}

function isUsable(name: string, set: PatternSet): boolean {
  try {
    set.compileNamed(name);
    return true;
  } catch (error) {
    if (error instanceof PatternError) return false;
    throw error;
  }
}

export type { PatternDefinitions };
