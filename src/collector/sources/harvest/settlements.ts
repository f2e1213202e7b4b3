import type { Clock } from '../../../runtime/clock.ts';
import { fileKey } from '../tail/identity/followed-files.ts';
import type { HarvestEvents, RejectedReason } from './events.ts';
import type { Upload } from './find-uploads.ts';
import { deleteUpload, moveUpload, UploadChanged } from './settle-upload.ts';

/** Time between two attempts to delete or move a file, or to read an unreadable one. */
const TRY_AGAIN_MS = 30_000;

/** The end of each upload: it is deleted, moved or kept when it is accepted, and moved aside when it is rejected. */
export class Settlements {
  readonly #clock: Clock;
  readonly #events: HarvestEvents;
  /** The uploads that are still in their directory although their end is decided. */
  #pending = new Map<string, PendingUpload>();

  constructor(clock: Clock, events: HarvestEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Why the upload is still there; undefined when nothing is decided about it, or it has changed. */
  reasonFor(upload: Upload): string | undefined {
    return this.#pendingOf(upload)?.reason;
  }

  /** Tries again what is due. False when nothing is decided about this upload, or it must be read again. */
  async handle(upload: Upload): Promise<boolean> {
    const pending = this.#pendingOf(upload);
    if (pending === undefined) return false;
    if (this.#clock.monotonicMs() < pending.againAtMs) return true;
    this.#pending.delete(fileKey(upload));
    if (pending.rejected === 'unreadable' && upload.entry.errorDirectory === undefined) return false;
    if (pending.rejected === undefined) await this.accept(upload);
    else await this.reject(upload, pending.rejected, pending.reason);
    return true;
  }

  /** Every byte of the upload is accepted, and that is on disk. */
  async accept(upload: Upload): Promise<void> {
    const { after } = upload.entry;
    const { path } = upload;
    if (after.kind === 'keep') return this.#events.kept({ path });
    await this.#attempt(upload, { reason: 'it is accepted, and cannot be deleted or moved' }, async () => {
      if (after.kind === 'move') this.#events.moved({ path, to: await moveUpload(upload, after.directory) });
      else {
        await deleteUpload(upload);
        this.#events.deleted({ path });
      }
    });
  }

  /** The upload cannot be read, or the aggregator has rejected it. */
  async reject(upload: Upload, reason: RejectedReason, detail: string): Promise<void> {
    const { path, version, entry } = upload;
    const { errorDirectory } = entry;
    this.#events.rejected({ path, version, reason, detail });
    const rejected = { rejected: reason, reason: detail };
    if (errorDirectory === undefined) return this.#keepPending(upload, rejected);
    await this.#attempt(upload, rejected, async () =>
      this.#events.movedAside({ path, to: await moveUpload(upload, errorDirectory) }),
    );
  }

  /** Forgets the uploads that are gone. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#pending.keys()) if (!keys.has(key)) this.#pending.delete(key);
  }

  async #attempt(
    upload: Upload,
    why: Pick<PendingUpload, 'rejected' | 'reason'>,
    act: () => Promise<void>,
  ): Promise<void> {
    try {
      await act();
    } catch (err) {
      // The next scan decides about the changed file.
      if (err instanceof UploadChanged) return;
      this.#events.settleFailed({ path: upload.path, err });
      this.#keepPending(upload, why);
    }
  }

  #keepPending(upload: Upload, why: Pick<PendingUpload, 'rejected' | 'reason'>): void {
    const againAtMs = this.#clock.monotonicMs() + TRY_AGAIN_MS;
    this.#pending.set(fileKey(upload), { version: upload.version, againAtMs, ...why });
  }

  #pendingOf(upload: Upload): PendingUpload | undefined {
    const pending = this.#pending.get(fileKey(upload));
    return pending?.version === upload.version ? pending : undefined;
  }
}

interface PendingUpload {
  readonly version: string;
  /** Monotonic. */
  readonly againAtMs: number;
  /** Absent: it is accepted. */
  readonly rejected?: RejectedReason;
  /** The rest of a sentence. */
  readonly reason: string;
}
