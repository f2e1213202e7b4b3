import type { FileAccess } from '../files/file-access.ts';
import { originalPaths } from '../files/original-paths.ts';
import type { StreamSignals } from './stream-signals.ts';

const MATCHED: Presence = { kind: 'matched' };

/** Under which name the file of a stream exists. The table of transitions is at the top of file-stream.ts. */
export class FilePresence {
  readonly #stream: NamedFile;
  readonly #signals: Pick<StreamSignals, 'changed'>;
  #presence: Presence = MATCHED;
  #pathWasAbsent = false;

  constructor(stream: NamedFile, signals: Pick<StreamSignals, 'changed'>) {
    this.#stream = stream;
    this.#signals = signals;
  }

  get isMovedAway(): boolean {
    return this.#presence.kind === 'moved away';
  }

  /** When the file was found to be deleted, monotonic. */
  get deletedSinceMs(): number | undefined {
    return this.#presence.kind === 'deleted' ? this.#presence.sinceMs : undefined;
  }

  /**
   * The file was deleted, and for a time no other file was at its path: a file that appears there is another
   * one.
   */
  get pathWasAbsent(): boolean {
    return this.#pathWasAbsent;
  }

  /** The file has another name than at first. A rotated file soon gets no more bytes. */
  get isDisplaced(): boolean {
    return this.#path !== this.#stream.home || this.#presence.kind !== 'matched';
  }

  /** The path that records carry. A rotated generation keeps the name under which it was written. */
  get recordPath(): string {
    const { home, lineage } = this.#stream;
    if (this.#path === home || this.#presence.kind !== 'matched') return home;
    const isGeneration = originalPaths(this.#path).some((path) => path === home || path === lineage);
    return isGeneration ? home : this.#path;
  }

  /** The path of the file itself now, without links. */
  get recordTarget(): string {
    const { path, target } = this.#stream.file.place;
    return target ?? path;
  }

  /** A scan found the file under a path that is read. Returns the former path when it was renamed. */
  foundAt(path: string, target: string | undefined): string | undefined {
    const file = this.#stream.file;
    const { path: from, target: fromTarget } = file.place;
    this.#set(MATCHED);
    file.unpin();
    if (path === from && target === fromTarget) return undefined;
    file.movedTo(path, target);
    this.#signals.changed();
    return path === from ? undefined : from;
  }

  /** True when this is news. */
  markMovedAway(): boolean {
    this.#stream.file.pin();
    if (this.#presence.kind !== 'matched') return false;
    this.#presence = { kind: 'moved away' };
    return true;
  }

  /** True when this is news. */
  markDeleted(nowMs: number): boolean {
    this.#stream.file.pin();
    if (this.#presence.kind === 'deleted') return false;
    this.#set({ kind: 'deleted', sinceMs: nowMs });
    return true;
  }

  /** True when this is news. */
  markPathAbsent(): boolean {
    if (this.#pathWasAbsent) return false;
    this.#pathWasAbsent = true;
    this.#signals.changed();
    return true;
  }

  /** The stream continues in another file, which has a path that is read. */
  reset(): void {
    this.#presence = MATCHED;
    this.#pathWasAbsent = false;
  }

  /** Another stream has read this file until now. */
  inherit(other: FilePresence): void {
    this.#set(other.#presence);
  }

  get #path(): string {
    return this.#stream.file.place.path;
  }

  #set(presence: Presence): void {
    const isChange = (this.#presence.kind === 'deleted') !== (presence.kind === 'deleted');
    this.#presence = presence;
    if (isChange) this.#signals.changed();
  }
}

/**
 * `matched`: its path matches the patterns. `moved away`: it exists under a name that is not read. `deleted`:
 * it has no name any more, and is only held open.
 */
type Presence =
  | { readonly kind: 'matched' }
  | { readonly kind: 'moved away' }
  | { readonly kind: 'deleted'; readonly sinceMs: number };

/** The stream whose file this is. */
interface NamedFile {
  readonly home: string;
  readonly lineage: string;
  /** The file of the stream now. */
  readonly file: FileAccess;
}
