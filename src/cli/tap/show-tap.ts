import type { IncomingMessage } from 'node:http';
import type { TappedRecord } from '../../tap/tapped-record.ts';
import { logText } from '../monitor/logs/log-text.ts';
import { jsonLine } from '../monitor/terminal/sanitize-for-terminal.ts';
import type { Terminal } from '../monitor/terminal/terminal.ts';
import { count, printable } from '../output/text-table.ts';
import { tapEvents } from './tap-events.ts';

export interface ShowTapOptions {
  readonly output: NodeJS.WritableStream;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly raw: boolean;
  readonly attributes: boolean;
  /** Prints a sentence for a person, apart from the records. */
  readonly say: (sentence: string) => void;
}

/** Unwritten bytes of this process, if the reader of the output is slow. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

/** Prints the records of a tap until it ends, or `signal` aborts. */
export async function showTap(
  answer: IncomingMessage,
  options: ShowTapOptions,
  signal: AbortSignal,
): Promise<void> {
  const { output, say } = options;
  // `| head` closes the pipe, which is no failure.
  const closed = new AbortController();
  output.once('error', () => {
    closed.abort();
    answer.destroy();
  });
  const { end, notShown } = await print(answer, options);
  if (notShown > 0)
    say(`${count(notShown)} records were not shown: they came faster than they can be shown.`);
  if (signal.aborted || closed.signal.aborted) return;
  await written(output, [signal, closed.signal]);
  const text = endText(end);
  if (text !== undefined) say(text);
}

/** Resolves at the end of the stream. `end`: why the process ended it; undefined: the connection was lost. */
async function print(
  answer: IncomingMessage,
  options: ShowTapOptions,
): Promise<{ readonly end: string | undefined; readonly notShown: number }> {
  const { output } = options;
  let notShown = 0;
  let leftOut = 0;
  let end: string | undefined;
  for await (const event of tapEvents(answer)) {
    if (event.kind !== 'record') {
      notShown = event.notShown;
      if (event.kind === 'end') end = event.reason;
    } else if (unwritten(output) > MAX_UNWRITTEN_BYTES) leftOut++;
    else output.write(textOf(event.record, options));
  }
  return { end, notShown: notShown + leftOut };
}

function endText(end: string | undefined): string | undefined {
  if (end === 'limit') return undefined;
  if (end === 'stopped') return 'The process has stopped.';
  return end === undefined ? 'The process closed the connection.' : `The tap ended (${printable(end)}).`;
}

function unwritten(output: NodeJS.WritableStream): number {
  return (output as { readonly writableLength?: number }).writableLength ?? 0;
}

function written(output: NodeJS.WritableStream, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) signal.addEventListener('abort', () => resolve(), { once: true });
    output.write('', () => resolve());
  });
}

function textOf(record: TappedRecord, options: ShowTapOptions): string | Uint8Array {
  const { terminal, json, raw, attributes } = options;
  if (json) return jsonLine(record);
  if (raw) return rawText(record, terminal);
  // The stream is more useful here than the host, which is often the same for all records.
  const origin = { host: record.source ?? record.stream, service: null };
  return logText({ ...record, ...origin }, { terminal, attributes });
}

/** The bytes as they are for a program; on a terminal they must be harmless. */
function rawText({ raw = '' }: TappedRecord, { isTerminal }: Terminal): string | Uint8Array {
  const bytes = Buffer.from(raw, 'base64');
  if (isTerminal) return `${printable(bytes.toString().replace(/\r?\n$/, ''))}\n`;
  return bytes.at(-1) === LINE_FEED ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
}

const LINE_FEED = 0x0a;
