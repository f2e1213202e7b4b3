import type { StreamId } from '../../../../records/stream-id.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { StateStore } from '../../../../storage/state/state-store.ts';
import { Checkpoints } from '../../../checkpoints.ts';
import type { ArchiveFile } from './archive-files.ts';

/**
 * The decisions about archives, also of earlier runs: so each is inflated once, and reported once. A rotation that
 * renames an archive changes nothing.
 */
export class ArchiveLedger {
  readonly #entries: Checkpoints<ArchiveDecision>;
  readonly #decisions: Map<string, ArchiveDecision>;

  constructor(parts: {
    readonly store: StateStore;
    readonly clock: Clock;
    readonly onFailure: (error: Error) => void;
  }) {
    this.#entries = new Checkpoints({ ...parts, table: 'tail-archives' });
    this.#decisions = new Map(this.#entries.entries().map(({ id, value }) => [id, value]));
  }

  /** Undefined for an archive that is new, or has changed. */
  get(archive: ArchiveFile): ArchiveDecision | undefined {
    const known = this.#decisions.get(keyOf(archive));
    const { sizeBytes, modifiedUnixMs } = archive;
    return known?.sizeBytes === sizeBytes && known.modifiedUnixMs === modifiedUnixMs ? known : undefined;
  }

  set(archive: ArchiveFile, outcome: ArchiveOutcome): void {
    const { sizeBytes, modifiedUnixMs } = archive;
    const decision = { ...outcome, sizeBytes, modifiedUnixMs };
    this.#decisions.set(keyOf(archive), decision);
    this.#entries.change(keyOf(archive), () => decision);
  }

  /** Forgets the archives that do not exist any more. */
  keep(present: readonly ArchiveFile[]): void {
    if (this.#decisions.size <= present.length) return;
    const keys = new Set(present.map(keyOf));
    for (const key of [...this.#decisions.keys()].filter((key) => !keys.has(key))) {
      this.#decisions.delete(key);
      this.#entries.remove(key);
    }
  }

  async flush(): Promise<void> {
    // A failure is reported when the next write fails too.
    await this.#entries.flush().catch(() => undefined);
  }

  close(): void {
    this.#entries.close();
  }
}

/**
 * `stream`: the stream that has its content, or reads it. `problem`: why it is not read. Exactly one of them is present.
 */
export type ArchiveOutcome = { readonly stream: StreamId } | { readonly problem: string };

export type ArchiveDecision = {
  readonly stream?: StreamId;
  readonly problem?: string;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
};

/** Device numbers change when a machine starts. */
export function keyOf({ inode, birthNs }: ArchiveFile): string {
  return `${inode}:${birthNs}`;
}
