import type { LogEntry, UnknownProperty } from '../../../logstore/logs/log-requests.ts';
import { CommandError } from '../../command-error.ts';
import type { Io } from '../../output/io.ts';
import { jsonLine, sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { histogramText, valuesText } from './count-text.ts';
import type { LogQuestion } from './log-flags.ts';
import type { LogSource } from './log-source.ts';
import { logText } from './log-text.ts';
import { noRecordsText } from './no-records-text.ts';
import { searchLogs } from './search-logs.ts';

/**
 * Prints the answer to a query on standard output. Throws CommandError if nothing was found and no record has
 * a property that the query names. The reason for an empty answer is printed on standard error, for people.
 */
export async function printRecords(
  source: LogSource,
  question: Question,
  options: PrintOptions,
): Promise<void> {
  const { text, found, unknown = [] } = await answerOf(source, question, options);
  options.io.stdout.write(text);
  if (unknown.length > 0) {
    throw new CommandError(unknown.map(({ message }) => sanitizeForTerminal(message)).join('\n'));
  }
  if (found > 0 || options.json) return;
  options.io.stderr.write(`${await noRecordsText(source, options.emptyText)}\n`);
}

export interface PrintOptions {
  readonly io: Pick<Io, 'stdout' | 'stderr'>;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly attributes: boolean;
  /** For an empty store: a sentence with the remedy. */
  readonly emptyText: string;
}

type Question = Exclude<LogQuestion, { readonly kind: 'follow' }>;

interface Answer {
  readonly text: string;
  readonly found: number;
  /** Properties of the query that no record has. */
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
      const title = sanitizeForTerminal(question.request.property);
      const text = json ? counted.values.map(jsonLine).join('') : valuesText(counted, title, terminal);
      const isShown = json || (counted.values.length > 0 && counted.unknown === undefined);
      return { text: isShown ? text : '', found: counted.values.length, unknown: counted.unknown };
    }
  }
}
