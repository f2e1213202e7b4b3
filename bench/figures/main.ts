/**
 * `make figures`: figures of the source code that show a trend. They are not limits: good judgement comes
 * first.
 */
import { basename } from 'node:path';
import { quantile } from '../statistics.ts';
import { mainExport } from './exports.ts';
import { type FunctionFigure, functionsOf, isOneWord } from './functions.ts';
import { logMessages } from './log-messages.ts';
import { codeLines, type SourceText, sourceTexts } from './source-text.ts';

const LONG_FUNCTION_LINES = 40;

const sources = sourceTexts('src');
const functions = sources.flatMap(functionsOf);
const messages = sources.flatMap(logMessages);
const exports = sources.map(mainExport);
const sum = (texts: readonly SourceText[]) => texts.reduce((total, text) => total + codeLines(text), 0);
const count = <T>(items: readonly T[], matches: (item: T) => boolean) => items.filter(matches).length;

const sizes = sources.map(({ lines }) => lines.length);
const lengths = functions.map(({ lines }) => lines);
const long = functions.filter(({ lines }) => lines > LONG_FUNCTION_LINES);
const oneWord = count(functions, ({ name }) => isOneWord(name));
const events = sources.filter(({ path }) => basename(path) === 'events.ts');

const rows: readonly (readonly [string, string])[] = [
  ['files in src', String(sources.length)],
  ['lines of code in src, without comments', String(sum(sources))],
  ['lines of code in test', String(sum(sourceTexts('test')))],
  ['lines of a file: median, 90th percentile, longest', spread(sizes)],
  ['lines of a function: median, 90th percentile, longest', spread(lengths)],
  [`functions over ${LONG_FUNCTION_LINES} lines`, String(long.length)],
  [
    'function names of one word',
    `${oneWord} of ${functions.length} (${Math.round((100 * oneWord) / functions.length)} %)`,
  ],
  ['files whose main export comes later', String(count(exports, (place) => place === 'later'))],
  ['files without an export of their name', String(count(exports, (place) => place === 'none'))],
  ['log messages with a full stop, without', fullStops()],
  ['lines of code in all events.ts', String(sum(events))],
];

const width = Math.max(...rows.map(([what]) => what.length));
for (const [what, figure] of rows) process.stdout.write(`${what.padEnd(width)}  ${figure}\n`);
for (const each of long.toSorted((a, b) => b.lines - a.lines)) {
  process.stdout.write(`  ${describe(each)}\n`);
}

function spread(values: readonly number[]): string {
  return [0.5, 0.9, 1]
    .map((share) => quantile(values, share))
    .map(Math.round)
    .join(', ');
}

function fullStops(): string {
  const withStop = count(messages, (message) => message.endsWith('.'));
  return `${withStop}, ${messages.length - withStop}`;
}

function describe({ path, name, lines }: FunctionFigure): string {
  return `${lines} lines: ${name} in ${path}`;
}
