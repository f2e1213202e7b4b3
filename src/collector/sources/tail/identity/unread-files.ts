import type { StreamId } from '../../../../records/stream-id.ts';
import type { TailEvents } from '../files/events.ts';
import type { FilePlace } from '../files/file-access.ts';

/** Above this number, compressed files are logged again. */
const MAX_REMEMBERED = 10_000;

const MISSED = ['unreadable', 'unnameable', 'undecided'] as const;
export type MissedReason = (typeof MISSED)[number];

/** Files that the last scan found and that are not read, with the reason. */
export class UnreadFiles {
  readonly #events: TailEvents;
  #reasons = new Map<string, UnreadReason>();
  readonly #unreadable = new Set<string>();
  readonly #nonUtf8 = new Set<string>();
  /** The inode at each path: another file at the path is logged again. */
  readonly #compressed = new Map<string, string>();

  constructor(events: TailEvents) {
    this.#events = events;
  }

  get(path: string): UnreadReason | undefined {
    return this.#reasons.get(path);
  }

  /** For --once: files that should have been read, with the reason. */
  *missed(): Iterable<{ readonly path: string; readonly reason: MissedReason }> {
    for (const [path, { kind }] of this.#reasons) if (isMissed(kind)) yield { path, reason: kind };
  }

  /** A new scan begins. */
  clear(): void {
    this.#reasons = new Map();
  }

  note(path: string, reason: UnreadReason): void {
    this.#reasons.set(path, reason);
  }

  /** Logged once, until the file can be read. */
  noteUnreadable(path: string): void {
    this.note(path, { kind: 'unreadable' });
    if (this.#unreadable.has(path)) return;
    this.#unreadable.add(path);
    this.#events.unreadable({ path });
  }

  /** Logged once. */
  noteNonUtf8(path: string): void {
    this.note(path, { kind: 'unnameable' });
    if (this.#nonUtf8.has(path)) return;
    this.#nonUtf8.add(path);
    this.#events.unnameable({ path });
  }

  /** Logged once for each file. */
  noteCompressed({ path, inode }: FilePlace, compression: string): void {
    this.note(path, { kind: 'compressed', compression });
    if (this.#compressed.get(path) === inode) return;
    if (this.#compressed.size >= MAX_REMEMBERED) this.#compressed.clear();
    this.#compressed.set(path, inode);
    this.#events.compressed({ path, compression });
  }

  noteReadable(path: string): void {
    this.#unreadable.delete(path);
  }
}

/** Why a file that was found is not read now. */
export type UnreadReason =
  | { readonly kind: 'empty' }
  | { readonly kind: 'older'; readonly modifiedUnixMs: number }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'compressed'; readonly compression: string }
  | { readonly kind: 'archive'; readonly reason: string }
  | { readonly kind: 'undecided' }
  | { readonly kind: 'unnameable' }
  | { readonly kind: 'duplicate'; readonly of: string }
  | { readonly kind: 'copy'; readonly of: StreamId };

function isMissed(kind: UnreadReason['kind']): kind is MissedReason {
  return (MISSED as readonly string[]).includes(kind);
}
