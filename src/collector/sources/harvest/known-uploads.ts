import type { StreamId } from '../../../records/stream-id.ts';
import { parseStreamId } from '../../../records/stream-id.ts';
import type { Checkpoints } from '../../checkpoints.ts';
import type { FileCheckpoint } from '../tail/files/file-checkpoint.ts';
import { checksumOf } from '../tail/files/file-contents.ts';
import { type DormantStream, DormantStreams } from '../tail/identity/dormant-streams.ts';
import type { OpenCandidate } from '../tail/identity/open-candidate.ts';
import { isSameInode, stillHolds } from '../tail/identity/same-file.ts';
import type { Upload } from './find-uploads.ts';

const HOUR_MS = 3_600_000;
/** An upload is forgotten when the collector has run for this time without finding its file. */
const FORGET_AFTER_MS = 30 * 24 * HOUR_MS;
/** Maximum number of uploads that are remembered. The oldest are forgotten first. */
const MAX_KNOWN = 20_000;

/** The uploads that were read, in full or in part, and that no stream reads now. */
export class KnownUploads {
  readonly dormant = new DormantStreams();
  /** Finished uploads by their size. */
  readonly #bySize = new Map<number, Set<StreamId>>();
  readonly #checkpoints: Checkpoints<FileCheckpoint>;
  readonly #maxKnown: number;

  constructor(checkpoints: Checkpoints<FileCheckpoint>, maxKnown = MAX_KNOWN) {
    this.#checkpoints = checkpoints;
    this.#maxKnown = maxKnown;
  }

  load(): void {
    for (const { id, value } of this.#checkpoints.entries()) {
      const stream = parseStreamId(id);
      if (stream !== undefined) this.#put(stream, value);
    }
  }

  add(id: StreamId, checkpoint: FileCheckpoint): void {
    this.#put(id, checkpoint);
    this.#checkpoints.change(id, () => checkpoint);
  }

  /** A stream reads the upload again. Its checkpoint stays. */
  remove(id: StreamId): void {
    const dormant = this.dormant.get(id);
    if (dormant === undefined) return;
    const size = positionOf(dormant);
    const ids = this.#bySize.get(size);
    ids?.delete(id);
    if (ids?.size === 0) this.#bySize.delete(size);
    this.dormant.delete(id);
  }

  /**
   * The upload of which this file is a repetition or a continuation: it has every byte that was accepted. A file under
   * another name is one only if it has no other bytes.
   */
  async find(file: OpenCandidate): Promise<DormantStream | undefined> {
    let best: DormantStream | undefined;
    for (const known of this.#candidatesFor(file)) {
      if (best !== undefined && positionOf(known) <= positionOf(best)) continue;
      file.onCompare();
      if (await hasAcceptedBytes(known.checkpoint, file)) best = known;
    }
    return best;
  }

  /** The upload whose file this is, if the file was read to its end and is unchanged since then. */
  finished(upload: Upload): DormantStream | undefined {
    return this.dormant.withInode(upload.inode).find(({ checkpoint }) => {
      const { finished, sizeBytes, modifiedUnixMs, path } = checkpoint;
      const isUnchanged = sizeBytes === upload.sizeBytes && modifiedUnixMs === upload.modifiedUnixMs;
      return finished === true && isUnchanged && path === upload.path;
    });
  }

  /** `present`: the uploads whose files exist. */
  age(elapsedMs: number, present: ReadonlySet<StreamId>): void {
    let excess = this.dormant.size - this.#maxKnown;
    const all = [...this.dormant.values()];
    if (excess > 0) all.sort((a, b) => b.checkpoint.absentMs - a.checkpoint.absentMs);
    for (const dormant of all) {
      const { id, checkpoint } = dormant;
      if (present.has(id)) {
        if (checkpoint.absentMs > 0) this.add(id, { ...checkpoint, absentMs: 0 });
        continue;
      }
      const absentMs = checkpoint.absentMs + elapsedMs;
      if (absentMs >= FORGET_AFTER_MS || excess-- > 0) this.#forget(id);
      else this.#setAge(dormant, absentMs);
    }
  }

  #setAge(dormant: DormantStream, absentMs: number): void {
    const { id, checkpoint } = dormant;
    const aged = { ...checkpoint, absentMs };
    dormant.update(aged);
    // The age is saved once an hour.
    const isDue = Math.floor(absentMs / HOUR_MS) > Math.floor(checkpoint.absentMs / HOUR_MS);
    if (isDue) this.#checkpoints.change(id, () => aged);
  }

  #put(id: StreamId, checkpoint: FileCheckpoint): void {
    this.remove(id);
    this.dormant.add(id, checkpoint);
    if (checkpoint.finished !== true) return;
    const size = positionOf({ checkpoint });
    this.#bySize.set(size, (this.#bySize.get(size) ?? new Set()).add(id));
  }

  #forget(id: StreamId): void {
    this.remove(id);
    this.#checkpoints.remove(id);
  }

  #candidatesFor({ path, inode, sizeBytes }: OpenCandidate): Iterable<DormantStream> {
    const here = [...this.dormant.withInode(inode), ...this.dormant.at(path)].filter(
      (known) => positionOf(known) <= sizeBytes,
    );
    const ofSize = [...(this.#bySize.get(sizeBytes) ?? [])].flatMap((id) => this.dormant.get(id) ?? []);
    return new Set([...here, ...ofSize]);
  }
}

export function positionOf({ checkpoint }: Pick<DormantStream, 'checkpoint'>): number {
  return checkpoint.marks.at(-1)?.[0] ?? 0;
}

/** Compares every byte that was accepted. Where nothing was accepted, only the same file is a continuation. */
async function hasAcceptedBytes(known: FileCheckpoint, file: OpenCandidate): Promise<boolean> {
  const [position, , crc32] = known.marks.at(-1) ?? [0];
  if (!(await stillHolds(known, file))) return false;
  if (position === 0) return isSameInode(known, file);
  if (crc32 === undefined || known.checksumFrom !== 0) return false;
  return (await checksumOf(file.handle, { start: 0, end: position })) === crc32;
}
