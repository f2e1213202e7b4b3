import { createHash } from 'node:crypto';
import { SerialQueue } from '../async/serial-queue.ts';
import { Timer } from '../async/timer.ts';
import type { Clock } from '../clock.ts';
import { readBeginning } from '../files/read-beginning.ts';
import { PathWatcher } from './path-watcher.ts';

/** Watching may fail, and some network file systems report nothing. */
const POLL_MS = 60_000;
/** Larger than any key or certificate chain. */
const MAX_BYTES = 1024 * 1024;

/** Reports that certificates, secrets and other small files have a new content, whichever way it came there. */
export class ContentWatcher {
  readonly #options: ContentWatcherOptions;
  readonly #watcher: PathWatcher;
  readonly #poll: Timer;
  readonly #looks = new SerialQueue();
  readonly #known = new Map<string, string>();
  #stopped = false;

  constructor(options: ContentWatcherOptions) {
    const { paths, clock, onFailure } = options;
    this.#options = options;
    this.#poll = new Timer(clock, () => void this.#looks.run(() => this.#look()));
    this.#watcher = new PathWatcher({ paths, clock, onFailure, onHint: () => this.#poll.set(0) });
  }

  /** Resolves when changes are seen from now on. Never rejects. */
  async start(): Promise<void> {
    await this.#look();
    await this.#watcher.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watcher.stop();
    this.#poll.cancel();
    await this.#looks.run(async () => {});
  }

  async #look(): Promise<void> {
    const changed = new Set<string>();
    for (const path of this.#options.paths) {
      const content = await contentOf(path);
      if (content === undefined) continue;
      const before = this.#known.get(path);
      this.#known.set(path, content);
      if (before !== undefined && before !== content) changed.add(path);
    }
    if (this.#stopped) return;
    this.#poll.set(POLL_MS);
    if (changed.size > 0) this.#options.onChange(changed);
  }
}

export interface ContentWatcherOptions {
  /** Absolute. */
  readonly paths: readonly string[];
  /** The files with another content than before. A file that cannot be read now has not changed yet. */
  readonly onChange: (changed: ReadonlySet<string>) => void;
  readonly onFailure: (error: Error) => void;
  readonly clock: Clock;
}

/** A digest: secrets are not kept in memory. undefined: the file cannot be read now. */
async function contentOf(path: string): Promise<string | undefined> {
  try {
    const bytes = await readBeginning(path, MAX_BYTES);
    return bytes === 'not-a-file' ? undefined : createHash('sha256').update(bytes).digest('base64');
  } catch {
    return undefined;
  }
}
