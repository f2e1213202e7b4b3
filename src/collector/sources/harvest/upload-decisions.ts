import type { StreamId } from '../../../records/stream-id.ts';
import type { LeftReason } from '../../one-shot-report.ts';
import type { OpenFiles } from '../tail/files/open-files.ts';
import { fileKey } from '../tail/identity/followed-files.ts';
import type { Completeness } from './completeness.ts';
import type { HarvestEvents } from './events.ts';
import type { FoundUploads, Upload } from './find-uploads.ts';
import type { KnownUploads } from './known-uploads.ts';
import { matchUpload } from './match-upload.ts';
import type { Settlements } from './settlements.ts';
import type { UploadStreams } from './upload-streams.ts';

/** Maximum number of uploads that are read at the same time. Those that the aggregator has rejected do not count. */
const MAX_READING = 256;

/** Decides, in each scan, about each upload: it is not complete, is read now, waits, or has come to its end. */
export class UploadDecisions {
  readonly #parts: UploadDecisionsParts;
  /** Why the uploads of the last scan are not read now. */
  #unread = new Map<string, UnreadUpload>();
  /** With `once`: the uploads of the first scan. */
  #existing: ReadonlySet<string> | undefined;

  constructor(parts: UploadDecisionsParts) {
    this.#parts = parts;
  }

  /** With `once`: a later scan of the same run must decide about an upload. */
  get isAnyUndecided(): boolean {
    return Array.from(this.#unread.values()).some(({ left }) => left === 'undecided');
  }

  /** The number of uploads that are not complete or wait for others. */
  get waiting(): number {
    return Array.from(this.#unread.values()).filter(({ left }) => left !== undefined).length;
  }

  reasonFor(path: string): string | undefined {
    return this.#unread.get(path)?.reason;
  }

  /** For --once: the uploads that should have been read, and were not begun. */
  *missed(): Iterable<{ readonly path: string; readonly reason: LeftReason }> {
    for (const [path, { left: reason }] of this.#unread) if (reason !== undefined) yield { path, reason };
  }

  /** Decides about all uploads of a scan. Returns the finished ones whose files are kept. */
  async decide({ uploads, ignored, unreadable, nonUtf8Paths }: FoundUploads): Promise<ReadonlySet<StreamId>> {
    const { completeness, settlements, once } = this.#parts;
    const keys = new Set(uploads.map(fileKey));
    this.#existing ??= once ? keys : undefined;
    settlements.retain(keys);
    this.#unread = new Map();
    for (const path of nonUtf8Paths) this.#note(path, 'its name is not UTF-8', 'unnameable');
    for (const path of unreadable.keys()) this.#note(path, 'it cannot be listed', 'unreadable');
    completeness.observe({ uploads, ignored });
    const kept = new Set<StreamId>();
    for (const upload of uploads) await this.#decideOne(upload, kept);
    return kept;
  }

  async #decideOne(upload: Upload, kept: Set<StreamId>): Promise<void> {
    const { path } = upload;
    const { streams, settlements, known } = this.#parts;
    const active = streams.of(upload);
    if (active !== undefined) {
      if (active.stream.file.failure !== undefined) active.stream.wake();
      return;
    }
    if (this.#existing?.has(fileKey(upload)) === false)
      return this.#note(path, 'it appeared after the start');
    if (this.#isIncomplete(upload)) return;
    if (await settlements.handle(upload)) return this.#noteSettled(upload);
    const finished = upload.entry.after.kind === 'keep' ? known.finished(upload) : undefined;
    if (finished !== undefined) {
      kept.add(finished.id);
      return this.#note(path, 'all of it is accepted, and it is kept');
    }
    if (streams.busy >= MAX_READING)
      return this.#note(path, 'it waits until other uploads are read', 'undecided');
    await this.#begin(upload);
  }

  #isIncomplete(upload: Upload): boolean {
    const state = this.#parts.completeness.stateOf(upload);
    if (state.kind === 'complete') return false;
    const isLeft = this.#parts.once && state.isGrowing;
    const reason = 'it is not complete: it has changed a moment ago';
    this.#note(upload.path, reason, isLeft ? 'incomplete' : 'undecided');
    return true;
  }

  async #begin(upload: Upload): Promise<void> {
    const { path } = upload;
    const { known, streams, settlements, events } = this.#parts;
    if (upload.sizeBytes === 0) return this.settleAccepted(upload);
    const match = await matchUpload(upload, this.#parts);
    switch (match.kind) {
      case 'changed':
        return this.#note(path, 'it has changed a moment ago', 'undecided');
      case 'same as': {
        const left = match.isRefused ? 'unread' : 'undecided';
        return this.#note(path, `it has the same bytes as ${match.path}, which is read first`, left);
      }
      case 'rejected':
        await settlements.reject(upload, match.reason, match.detail);
        return this.#noteSettled(upload, match.reason === 'unreadable' ? 'unreadable' : undefined);
      case 'repeated':
        known.add(match.id, match.checkpoint);
        events.repeated({ path, of: match.of });
        return this.settleAccepted(upload);
      case 'read':
        known.remove(match.id);
        return streams.add(upload, match.file, match);
    }
  }

  /** All bytes are accepted: when that is on disk, the file is deleted, moved or kept. */
  async settleAccepted(upload: Upload): Promise<void> {
    if (!(await this.#parts.save()))
      return this.#note(upload.path, 'its checkpoint cannot be written', 'undecided');
    await this.#parts.settlements.accept(upload);
    this.#noteSettled(upload);
  }

  #noteSettled(upload: Upload, left?: LeftReason): void {
    const reason = this.#parts.settlements.reasonFor(upload);
    if (reason !== undefined) this.#note(upload.path, reason, left);
  }

  #note(path: string, reason: string, left?: LeftReason): void {
    this.#unread.set(path, { reason, left });
  }
}

export interface UploadDecisionsParts {
  readonly completeness: Completeness;
  readonly known: KnownUploads;
  readonly streams: UploadStreams;
  readonly settlements: Settlements;
  readonly openFiles: OpenFiles;
  readonly events: HarvestEvents;
  readonly once: boolean;
  /** Writes the checkpoints. False when they cannot be written now. */
  readonly save: () => Promise<boolean>;
  /** Called for each upload with which one is compared. */
  readonly onCompare: () => void;
}

interface UnreadUpload {
  /** The rest of a sentence that begins with `it is not read:`. */
  readonly reason: string;
  /** For --once: why it counts as left. `undecided`: a later scan of the same run decides. */
  readonly left?: LeftReason | undefined;
}
