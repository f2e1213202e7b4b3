import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import type { ExportEntry } from '../../../protocols/journal-export/export-entry.ts';
import { ExportParser } from '../../../protocols/journal-export/export-parser.ts';
import { errorMessage } from '../../../runtime/error-message.ts';

export interface JournalctlRunOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** `take` may return something new, or the run has ended. */
  readonly onReadable: () => void;
  /** A line of journalctl's standard error. */
  readonly onNote: (line: string) => void;
}

/**
 * One run of journalctl, whose entries are pulled. It is read no faster than they are pulled: the pipe is the
 * back-pressure.
 */
export class JournalctlRun {
  readonly #child: ChildProcess;
  readonly #output: Readable;
  readonly #parser = new ExportParser();
  readonly #closed: Promise<void>;
  #end: RunEnd | undefined;
  #lastNote = '';

  constructor({ command, args, onReadable, onNote }: JournalctlRunOptions) {
    const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    // There are no pipes when the process cannot be created.
    this.#output = child.stdout ?? Readable.from([]);
    this.#output.on('readable', onReadable);
    this.#output.on('error', (error) => this.#ended({ failure: errorMessage(error) }, onReadable));
    readLines(child.stderr ?? Readable.from([]), (line) => {
      this.#lastNote = line;
      onNote(line);
    });
    this.#closed = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#ended({ failure: errorMessage(error) }, onReadable);
        resolve();
      });
      // After the end of both pipes.
      child.once('close', (code, signal) => {
        this.#ended(code === 0 ? {} : { failure: this.#exitText(code, signal) }, onReadable);
        resolve();
      });
    });
  }

  /** Set when the run has ended and all its entries were taken. */
  get end(): RunEnd | undefined {
    return this.#output.readableLength === 0 ? this.#end : undefined;
  }

  /** The complete entries that have arrived. Throws ExportError. */
  take(): ExportEntry[] {
    const chunk: Buffer | null = this.#output.read();
    return chunk === null ? [] : this.#parser.push(chunk);
  }

  /** Ends the process. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    this.#output.destroy();
    this.#child.stderr?.destroy();
    await this.#closed;
  }

  #ended(end: RunEnd, onReadable: () => void): void {
    if (this.#end !== undefined) return;
    this.#end = end.failure === undefined && !this.#parser.isBetweenEntries ? TRUNCATED : end;
    onReadable();
  }

  #exitText(code: number | null, signal: string | null): string {
    const how = signal === null ? `journalctl exited with ${code}` : `journalctl was killed by ${signal}`;
    return this.#lastNote === '' ? how : `${how}: ${this.#lastNote}`;
  }
}

/** `failure` undefined: the process has ended normally, after complete output. */
export interface RunEnd {
  readonly failure?: string;
}

const TRUNCATED: RunEnd = { failure: 'the output of journalctl ended within an entry' };

const MAX_LINE_CHARACTERS = 500;

function readLines(input: Readable, visit: (line: string) => void): void {
  let rest = '';
  input.setEncoding('utf8');
  input.on('error', () => {});
  input.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
    for (const line of lines) if (line.trim() !== '') visit(line.trim().slice(0, MAX_LINE_CHARACTERS));
  });
  input.on('end', () => {
    if (rest.trim() !== '') visit(rest.trim());
  });
}
