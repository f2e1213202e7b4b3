import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SourceText {
  /** Relative to the repository. */
  readonly path: string;
  readonly lines: readonly string[];
}

/** All hand-written TypeScript files below a folder of the repository. */
export function sourceTexts(folder: string): readonly SourceText[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.ts') && !path.includes('/gen/'))
    .sort()
    .map((path) => ({ path, lines: readFileSync(path, 'utf8').split('\n') }));
}

const COMMENT = /^\s*(?:\/\/|\/\*|\*)/;

/** Lines that are neither blank nor a comment. */
export function codeLines({ lines }: SourceText): number {
  return lines.filter((line) => line.trim() !== '' && !COMMENT.test(line)).length;
}
