import type { FilterProgram } from '../../filters/filter-program.ts';
import type { PatternLineReport } from '../../patterns/pattern-files.ts';
import { printable, textTable } from '../output/text-table.ts';
import { wrapText } from '../output/wrap-text.ts';

/** The report of `filter check` for a filter without mistakes. */
export function checkText(
  file: string,
  { reads, routes, facts }: FilterProgram,
  patternLines: readonly PatternLineReport[],
  width: number | undefined,
): string {
  const rows = [
    ['needs', NEEDS[reads]],
    ['reads', list(facts.reads)],
    ['writes', list(facts.writes)],
    ['emitters', routes === undefined ? 'all: the filter has no route' : list([...routes])],
  ];
  const columns = [{ title: '' }, { title: '', wraps: true as const }];
  const patterns = facts.patterns.map(({ line, text, verdict }) => [String(line), verdict, printable(text)]);
  const patternColumns = [
    { title: 'line', right: true as const },
    { title: 'pattern' },
    { title: '', wraps: true as const },
  ];
  const notices = [
    ...facts.warnings.map(({ line, reason }) => `${file}:${line}: ${reason}`),
    ...patternLines.flatMap(patternNotice),
  ];
  return [
    `${printable(file)} has no mistakes.\n`,
    textTable(columns, rows, width),
    ...(patterns.length === 0 ? [] : ['\n', textTable(patternColumns, patterns, width)]),
    ...(notices.length === 0 ? [] : ['\n', ...notices.map((each) => `${wrapped(printable(each), width)}\n`)]),
  ].join('');
}

const NEEDS = {
  resource: 'the resource: it decides whole batches, and no record is parsed',
  bytes: 'the place of each record; no record is parsed',
  fields: 'parsed records',
} as const;

function list(names: readonly string[]): string {
  return names.length === 0 ? '-' : names.map(printable).join(', ');
}

function patternNotice({
  path,
  line,
  name,
  verdict,
  reason,
  isReplaced,
}: PatternLineReport): readonly string[] {
  if (verdict !== 'refused') return [];
  const instead = isReplaced === true ? '; an earlier definition is used' : '';
  return [`${path}:${line}: ${name}: ${reason ?? 'refused'}${instead}`];
}

function wrapped(text: string, width: number | undefined): string {
  return width === undefined ? text : wrapText(text, width).join('\n');
}
