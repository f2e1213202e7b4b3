import type { ExportEntry } from '../../../protocols/journal-export/export-entry.ts';
import { JournalctlRun } from './journalctl-run.ts';

/** The first entries of a run of journalctl; at most `count`. Throws if journalctl fails or `signal` aborts. */
export async function queryJournal(
  options: JournalQuery,
  count: number,
  signal: AbortSignal,
): Promise<readonly ExportEntry[]> {
  let changed = () => {};
  const run = new JournalctlRun({ ...options, onReadable: () => changed() });
  const onAbort = () => changed();
  signal.addEventListener('abort', onAbort);
  try {
    const entries: ExportEntry[] = [];
    while (entries.length < count) {
      signal.throwIfAborted();
      const change = new Promise<void>((resolve) => {
        changed = resolve;
      });
      const taken = run.take();
      entries.push(...taken);
      if (taken.length > 0) continue;
      if (run.end?.failure !== undefined) throw new Error(run.end.failure);
      if (run.end !== undefined) break;
      await change;
    }
    return entries.slice(0, count);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await run.stop();
  }
}

export interface JournalQuery {
  readonly command: string;
  readonly args: readonly string[];
  readonly onNote: (line: string) => void;
}

/** The cursor of the newest entry; undefined when there is none. */
export async function newestCursor(
  { command, args, onNote }: JournalQuery,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [newest] = await queryJournal({ command, args: [...args, '--lines=1'], onNote }, 1, signal);
  return newest?.cursor;
}
