import type { LogEntry, UnknownProperty } from '../../../logstore/logs/log-requests.ts';
import { CommandError } from '../../command-error.ts';
import type { Io } from '../../output/io.ts';
import { harmless, jsonLine } from '../terminal/harmless.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { histogramText, valuesText } from './count-text.ts';
import type { LogQuestion } from './log-flags.ts';
import type { LogSource } from './log-source.ts';
import { logText } from './log-text.ts';
import { noRecordsText } from './no-records.ts';
import { searchLogs } from './search-logs.ts';

export interface PrintOptions {
  readonly io: Pick<Io, 'stdout' | 'stderr'>;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly attributes: boolean;
  /** For a store without any records: a sentence about it, and what to do. */
  readonly emptyText: string;
}

type Question = Exclude<LogQuestion, { readonly kind: 'follow' }>;

/**
 * Answers a question, on standard output. Throws CommandError when nothing was found and no record has a property that the
 * question names. Why there is nothing to show goes to standard error, for people.
 */
export async function printRecords(
  source: LogSource,
  question: Question,
  options: PrintOptions,
): Promise<void> {
  const { text, found, unknown = [] } = await answerOf(source, question, options);
  options.io.stdout.write(text);
  if (unknown.length > 0) {
    throw new CommandError(unknown.map(({ message }) => harmless(message)).join('\n'));
  }
  if (found > 0 || options.json) return;
  options.io.stderr.write(`${await noRecordsText(source, options.emptyText)}\n`);
}

interface Answer {
  readonly text: string;
  readonly found: number;
  /** Properties of the question that no record has. */
  readonly unknown?: readonly UnknownProperty[] | undefined;
}

async function answerOf(
  source: LogSource,
  question: Question,
  { json, attributes, terminal }: PrintOptions,
): Promise<Answer> {
  switch (question.kind) {
    case 'search': {
      const { entries, unknown } = await searchLogs(source, question.request);
      const lineOf = (entry: LogEntry) => (json ? jsonLine(entry) : logText(entry, { terminal, attributes }));
      return { text: entries.map(lineOf).join(''), found: entries.length, unknown };
    }
    case 'histogram': {
      const counted = await source.histogram(question.request);
      const text = json ? counted.bars.map(jsonLine).join('') : histogramText(counted, terminal);
      return { text: counted.total > 0 || json ? text : '', found: counted.total, unknown: counted.unknown };
    }
    case 'values': {
      const counted = await source.values(question.request);
      const title = harmless(question.request.property);
      const text = json ? counted.values.map(jsonLine).join('') : valuesText(counted, title, terminal);
      const isShown = json || (counted.values.length > 0 && counted.unknown === undefined);
      return { text: isShown ? text : '', found: counted.values.length, unknown: counted.unknown };
    }
  }
}
