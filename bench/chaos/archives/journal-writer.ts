import { existsSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../testkit/random.ts';
import { runCommand } from '../../../testkit/running-process.ts';
import { numberedLine } from '../numbered-line.ts';

const WRITER = '/lib/systemd/systemd-journal-remote';
const BOOT = '0123456789abcdef0123456789abcdef';
const FIRST_TIME_US = 1_790_000_000_000_000;

export const JOURNAL_LOG = 'journal';

export function hasJournalWriter(): boolean {
  return existsSync(WRITER) && existsSync('/usr/bin/journalctl');
}

/** Appends entries to a real journal file, again and again, until it is stopped. */
export class JournalWriter {
  readonly #path: string;
  readonly #random: Random;
  #entries = 0;
  #isStopped = false;
  #writing: Promise<void> | undefined;

  constructor(path: string, random: Random) {
    this.#path = path;
    this.#random = random;
  }

  start(): void {
    this.#writing = this.#write();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#writing;
  }

  get written(): { readonly name: string; readonly lines: number } {
    return { name: JOURNAL_LOG, lines: this.#entries };
  }

  async #write(): Promise<void> {
    while (!this.#isStopped) {
      await this.#append(this.#random.between(1, 60));
      await sleep(this.#random.between(50, 600));
    }
  }

  async #append(count: number): Promise<void> {
    let text = '';
    for (const end = this.#entries + count; this.#entries < end; this.#entries++)
      text += entry(this.#entries);
    const input = `${this.#path}.export`;
    await writeFile(input, text);
    await runCommand({ name: 'journal writer', command: WRITER, args: ['-o', this.#path, input] });
    await unlink(input);
  }
}

function entry(number: number): string {
  const timeUs = FIRST_TIME_US + number;
  return [
    `__REALTIME_TIMESTAMP=${timeUs}`,
    `__MONOTONIC_TIMESTAMP=${timeUs % 1_000_000_000_000}`,
    `_BOOT_ID=${BOOT}`,
    `MESSAGE=${numberedLine(JOURNAL_LOG, number).slice(0, -1)}`,
    '\n',
  ].join('\n');
}
