import { existsSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { runCommand } from '../../testkit/running-process.ts';

const WRITER = '/lib/systemd/systemd-journal-remote';
const JOURNALCTL = '/usr/bin/journalctl';

/** The reason why journal files cannot be made or read here; undefined: they can. */
export const MISSING_JOURNAL_FILES: string | undefined = [WRITER, JOURNALCTL].some(
  (path) => !existsSync(path),
)
  ? 'systemd-journal-remote is not installed'
  : undefined;

export const BOOTS = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'] as const;

/** An entry for a journal file; `fields` are lines `NAME=value`. */
export interface WrittenEntry {
  readonly message: string;
  readonly timeUs: number;
  readonly boot?: string;
  readonly fields?: readonly string[];
}

/** Appends entries to a real journal file, which is created when it is missing. */
export async function writeJournal(file: string, entries: readonly WrittenEntry[]): Promise<void> {
  const text = entries.map(({ message, timeUs, boot = BOOTS[0], fields = [] }) =>
    [
      `__REALTIME_TIMESTAMP=${timeUs}`,
      `__MONOTONIC_TIMESTAMP=${timeUs % 1_000_000_000_000}`,
      `_BOOT_ID=${boot}`,
      `MESSAGE=${message}`,
      ...fields,
      '\n',
    ].join('\n'),
  );
  const input = `${file}.export`;
  await writeFile(input, text.join(''));
  await runCommand({ name: 'journal writer', command: WRITER, args: ['-o', file, input] });
  await unlink(input);
}

/** Entries with consecutive times and messages. */
export function entriesOf(messages: readonly string[], firstTimeUs: number): readonly WrittenEntry[] {
  return messages.map((message, index) => ({ message, timeUs: firstTimeUs + index }));
}
