import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FSWatcher } from 'chokidar';
import { SerialQueue } from '../async/serial-queue.ts';
import { Timer } from '../async/timer.ts';
import type { Clock } from '../clock.ts';
import { symlinkTrail } from './symlink-trail.ts';

export interface PathWatcherOptions {
  /** Absolute. They need not exist. */
  readonly paths: readonly string[];
  /** Absolute. A change of any name in them is a hint too; these names are no links to elsewhere. */
  readonly directories?: readonly string[];
  /** Something changed at a path, or at a link that leads to it. Also called when nothing changed in the end. */
  readonly onHint: () => void;
  /** Watching failed, for example because of the limit of inotify. The caller has to poll. */
  readonly onFailure: (error: Error) => void;
  readonly clock: Clock;
  /** Changes within this time are one hint. Default: 100 ms, in which a program replaces a certificate and its key. */
  readonly debounceMs?: number;
}

const DEBOUNCE_MS = 100;

/**
 * Watches a few paths that change seldom, with chokidar. It watches the directories of the paths and of all links
 * that lead to them, and ignores all other names there, except in `directories`.
 * Tailed files are not watched by this (docs/decisions/0006-watching-directories.md).
 */
export class PathWatcher {
  readonly #options: PathWatcherOptions;
  readonly #debounce: Timer;
  readonly #changes = new SerialQueue();
  #watcher: FSWatcher | undefined;
  #points: readonly string[] = [];
  #stopped = false;

  constructor(options: PathWatcherOptions) {
    this.#options = options;
    this.#debounce = new Timer(options.clock, () => void this.#changes.run(() => this.#onSettled()));
  }

  /** Resolves when changes are seen from now on. Never rejects. */
  async start(): Promise<void> {
    await this.#changes.run(() => this.#watch());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#debounce.cancel();
    await this.#changes.run(() => this.#close());
  }

  async #onSettled(): Promise<void> {
    await this.#watch();
    if (!this.#stopped) this.#options.onHint();
  }

  /** Watches the links as they are now. */
  async #watch(): Promise<void> {
    const trails = await Promise.all(this.#options.paths.map(symlinkTrail));
    const whole = new Set(await Promise.all((this.#options.directories ?? []).map(realPath)));
    const points = [...new Set([...trails.flat(), ...whole])].toSorted();
    if (this.#stopped || points.join('\0') === this.#points.join('\0')) return;
    await this.#close();
    this.#points = points;
    const { watch } = await import('chokidar');
    const directories = new Set([...points.map(dirname), ...whole]);
    const named = new Set(points);
    const watcher = watch([...directories], {
      depth: 0,
      ignoreInitial: true,
      followSymlinks: false,
      persistent: false,
      ignored: (path) => !directories.has(path) && !named.has(path) && !whole.has(dirname(path)),
    });
    this.#watcher = watcher;
    const { debounceMs = DEBOUNCE_MS } = this.#options;
    const hint = () => this.#debounce.setIfUnset(debounceMs);
    // `raw` as well: a link that is replaced by an equal one is no change to chokidar.
    watcher.on('all', hint).on('raw', hint);
    watcher.on('error', (error) => this.#options.onFailure(error as Error));
    await new Promise<void>((ready) => watcher.once('ready', ready));
    // The links may have changed before they were watched.
    hint();
  }

  async #close(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#points = [];
    await watcher?.close();
  }
}

/** The path itself if it does not exist yet. */
async function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
