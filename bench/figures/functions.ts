import type { SourceText } from './source-text.ts';

export interface FunctionFigure {
  readonly name: string;
  readonly path: string;
  /** From the line of its name to the line of its closing brace. */
  readonly lines: number;
}

/**
 * The formatter's layout makes these reliable: one declaration a line, the closing brace at the same
 * indentation.
 */
const DECLARATIONS = [
  /^(?<indent>\s*)(?:export )?(?:async )?function\*? (?<name>\w+)/,
  /^(?<indent>\s*)(?:export )?const (?<name>\w+) = (?:async )?(?:\([^)]*\)|\w+)(?:: [^=]+)? => \{$/,
  /^(?<indent> {2})(?:static )?(?:override )?(?:async )?(?:get |set )?\*?(?<name>#?\w+)\((?:.*\{|)$/,
];
const KEYWORDS = new Set(['if', 'for', 'while', 'switch', 'catch', 'return', 'super', 'constructor']);

/** All named functions and methods with a body of several lines. */
export function functionsOf({ path, lines }: SourceText): FunctionFigure[] {
  return lines.flatMap((line, index) => {
    const groups = DECLARATIONS.map((declaration) => declaration.exec(line)?.groups).find(Boolean);
    const { name, indent } = groups ?? {};
    if (name === undefined || indent === undefined || KEYWORDS.has(name)) return [];
    const end = lines.findIndex((other, at) => at > index && isEnd(other, indent));
    return end === -1 ? [] : [{ name: name.replace('#', ''), path, lines: end - index + 1 }];
  });
}

function isEnd(line: string, indent: string): boolean {
  return line === `${indent}}` || line === `${indent}};`;
}

/** `emit` is one word, `openStream` two. */
export function isOneWord(name: string): boolean {
  return /^[a-z0-9]+$/.test(name);
}
