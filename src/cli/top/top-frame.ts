import type { TopStreamsKey } from '../../collector/collector-reports.ts';
import { formatTable } from '../monitor/terminal/format-table.ts';
import type { Terminal } from '../monitor/terminal/terminal.ts';
import { printable } from '../output/text-table.ts';
import { cutToWidth } from '../output/text-width.ts';
import { aggregatorSection } from './aggregator-frame.ts';
import { collectorSection } from './collector-frame.ts';
import { NOT_RUNNING, type TopView } from './top-reading.ts';
import type { TopSection, TopTable } from './top-section.ts';

export interface FrameOptions {
  readonly terminal: Terminal;
  /** Absent: the frame is printed once, and has all rows. */
  readonly live?: { readonly time: string; readonly key: TopStreamsKey };
}

/** The text of all processes, in at most the rows of the terminal. Every line ends with a newline. */
export function topFrame(views: readonly TopView[], options: FrameOptions): string {
  const { terminal, live } = options;
  const head = live === undefined ? [] : [headLine(live, terminal)];
  const sections = views.map((view) => ({
    title: titleOf(view, terminal),
    section: sectionOf(view, live !== undefined),
  }));
  const rows = live === undefined ? Number.POSITIVE_INFINITY : terminal.rows - head.length;
  const limit = rowsOfLongTables(
    sections.map(({ section }) => section),
    rows,
  );
  const lines = sections.flatMap(({ title, section }, index) => [
    ...(index === 0 ? [] : ['']),
    title,
    ...section.lines.map((line) => fitting(`  ${line}`, terminal)),
    ...section.tables.flatMap((table) => tableLines(table, limit, terminal)),
  ]);
  const fits = live === undefined ? lines : lines.slice(0, rows);
  return [...head, ...fits].map((line) => `${line}\n`).join('');
}

function headLine({ time, key }: NonNullable<FrameOptions['live']>, terminal: Terminal): string {
  const text = `top  ${time}  by ${key}   q quit  r rate  b backlog  l lag  n name`;
  return terminal.paint(cutToWidth(text, terminal.columns), 'bold');
}

function titleOf({ target, newest, away }: TopView, terminal: Terminal): string {
  const state = stateOf({ newest, away });
  const text = `${target.role}  ${printable(target.place)}  ${state}`;
  return terminal.paint(fitting(text, terminal), away === undefined ? 'cyan' : 'red');
}

function stateOf({ newest, away }: Pick<TopView, 'newest' | 'away'>): string {
  if (away === undefined) return newest === undefined ? 'connecting' : 'running';
  return away === NOT_RUNNING ? NOT_RUNNING : 'not reachable';
}

function sectionOf(view: TopView, isLive: boolean): TopSection {
  const { newest, away } = view;
  if (away !== undefined) {
    const lines = [...(away === NOT_RUNNING ? [] : [printable(away)]), ...(isLive ? ['waiting for it'] : [])];
    return { lines, tables: [] };
  }
  if (newest === undefined) return { lines: [], tables: [] };
  return newest.role === 'collector' ? collectorSection(newest, view) : aggregatorSection(newest, view);
}

/** The rows, titles included, that each long table may have, so that all sections are visible. */
function rowsOfLongTables(sections: readonly TopSection[], rows: number): number {
  const tables = sections.flatMap((section) => section.tables);
  const long = tables.filter(({ isLong }) => isLong);
  if (long.length === 0) return rows;
  const short = tables.filter(({ isLong }) => !isLong);
  const heads = sections.reduce((sum, { lines }) => sum + lines.length + 1, sections.length - 1);
  const used = heads + short.reduce((sum, table) => sum + table.rows.length + 1, 0);
  let room = rows - used;
  let limit = MIN_ROWS;
  // A table that needs fewer rows leaves them to the others.
  const sizes = long.map((table) => table.rows.length + 1).sort((a, b) => a - b);
  sizes.forEach((size, index) => {
    limit = Math.max(MIN_ROWS, Math.floor(room / (sizes.length - index)));
    room -= Math.min(size, limit);
  });
  return limit;
}

/** The titles and one row. */
const MIN_ROWS = 2;

function tableLines(table: TopTable, limit: number, terminal: Terminal): readonly string[] {
  const rows = table.isLong ? table.rows.slice(0, Math.max(0, limit - 1)) : table.rows;
  const text = formatTable(table.columns, rows, terminal);
  return text.replace(/\n$/, '').split('\n');
}

function fitting(text: string, { isTerminal, columns }: Terminal): string {
  return isTerminal ? cutToWidth(text, columns) : text;
}
