import { checkOf } from '../../../records/check.ts';
import { mintStreamId, type StreamId } from '../../../records/stream-id.ts';
import { compressionOf, MAGIC_BYTES } from '../tail/files/compression-magic.ts';
import { FileAccess } from '../tail/files/file-access.ts';
import { checkpointOf, type FileCheckpoint, type PositionMark } from '../tail/files/file-checkpoint.ts';
import { haveSameBytes } from '../tail/files/file-contents.ts';
import type { OpenFiles } from '../tail/files/open-files.ts';
import { isCompressed } from '../tail/files/path-patterns.ts';
import { readBytes } from '../tail/files/read-bytes.ts';
import type { ReadableFile } from '../tail/files/readable-file.ts';
import type { DormantStream } from '../tail/identity/dormant-streams.ts';
import { candidateOf, type OpenCandidate } from '../tail/identity/open-candidate.ts';
import type { RejectedReason } from './events.ts';
import { type Upload, versionOf } from './find-uploads.ts';
import { type KnownUploads, positionOf } from './known-uploads.ts';
import type { UploadStream, UploadStreams } from './upload-streams.ts';

const BEGINNING: PositionMark = [0, checkOf(Buffer.alloc(0)), 0];

/** Decides what a complete upload is: a new one, one that continues or repeats an earlier one, or none at all. */
export async function matchUpload(upload: Upload, context: MatchContext): Promise<UploadMatch> {
  const file = new FileAccess(upload, context.openFiles);
  const match = await file.use((handle) => matchOpen(upload, { file, handle }, context));
  if (match?.kind !== 'read') await file.close();
  if (match !== undefined) return match;
  if (file.failure === 'gone') return { kind: 'changed' };
  return { kind: 'rejected', reason: 'unreadable', detail: 'it cannot be opened; check its permissions' };
}

export type UploadMatch =
  /** It is not the file that the scan has found. */
  | { readonly kind: 'changed' }
  /** An upload with the same bytes is being read now. */
  | { readonly kind: 'same as'; readonly path: string; readonly isRefused: boolean }
  | { readonly kind: 'rejected'; readonly reason: RejectedReason; readonly detail: string }
  /** Every byte is accepted already. `of`: the path of the earlier upload. */
  | {
      readonly kind: 'repeated';
      readonly of: string;
      readonly id: StreamId;
      readonly checkpoint: FileCheckpoint;
    }
  | {
      readonly kind: 'read';
      readonly id: StreamId;
      readonly checkpoint: FileCheckpoint;
      readonly file: FileAccess;
    };

export interface MatchContext {
  readonly known: KnownUploads;
  readonly streams: UploadStreams;
  readonly openFiles: OpenFiles;
  /** Called for each upload with which it is compared. */
  readonly onCompare: () => void;
}

interface OpenUpload {
  readonly file: FileAccess;
  readonly handle: ReadableFile;
}

async function matchOpen(upload: Upload, open: OpenUpload, context: MatchContext): Promise<UploadMatch> {
  const { file, handle } = open;
  if (versionOf(await handle.stat({ bigint: true })) !== upload.version) return { kind: 'changed' };
  const compression = compressionOf(await readBytes(handle, 0, MAGIC_BYTES));
  if (typeof compression === 'object' || isCompressed(upload.path)) {
    const kind = typeof compression === 'object' ? `${compression.kind}, by its first bytes` : 'by its name';
    return { kind: 'rejected', reason: 'compressed', detail: `it is compressed (${kind})` };
  }
  const twin = await findTwin(upload, handle, context);
  if (twin !== undefined)
    return { kind: 'same as', path: twin.upload.path, isRefused: twin.stream.refusal !== undefined };
  const candidate = await candidateOf(handle, file, context);
  const known = await context.known.find(candidate);
  if (known === undefined)
    return { kind: 'read', id: mintStreamId(), file, checkpoint: newCheckpoint(candidate) };
  if (positionOf(known) < upload.sizeBytes) return { kind: 'read', ...continued(known, candidate), file };
  return { kind: 'repeated', of: known.checkpoint.path, ...repeated(known, candidate, upload) };
}

/** An upload that is being read and has the same bytes. */
async function findTwin(
  upload: Upload,
  handle: ReadableFile,
  { streams, onCompare }: MatchContext,
): Promise<UploadStream | undefined> {
  for (const other of streams.values()) {
    if (other.upload.sizeBytes !== upload.sizeBytes) continue;
    onCompare();
    const range = { start: 0, end: upload.sizeBytes };
    if ((await other.stream.file.use((of) => haveSameBytes(handle, of, range))) === true) return other;
  }
  return undefined;
}

function newCheckpoint(candidate: OpenCandidate): FileCheckpoint {
  return checkpointOf(candidate, { lineage: candidate.path, mark: BEGINNING, copyOf: null });
}

/** The stream continues in this file. That of a repeated file begins where the accepted bytes end. */
function continued({ id, checkpoint }: DormantStream, candidate: OpenCandidate): IdentifiedCheckpoint {
  const {
    finished: _finished,
    lostBytes: _lostBytes,
    superseded: _superseded,
    ...known
  } = placedAt(checkpoint, candidate);
  const start = known.copyOf === null ? known.start : positionOf({ checkpoint });
  return { id, checkpoint: { ...known, start, copyOf: null } };
}

/** A repeated file has a checkpoint of its own while the earlier file may still exist. */
function repeated(known: DormantStream, candidate: OpenCandidate, upload: Upload): IdentifiedCheckpoint {
  const isSameFile = known.checkpoint.path === candidate.path;
  const { sizeBytes, modifiedUnixMs } = upload;
  const checkpoint = {
    ...placedAt(known.checkpoint, candidate),
    ...{ finished: true as const, sizeBytes, modifiedUnixMs, absentMs: 0 },
  };
  if (isSameFile) return { id: known.id, checkpoint };
  const copyOf = known.checkpoint.copyOf ?? known.id;
  return {
    id: mintStreamId(),
    checkpoint: { ...checkpoint, home: candidate.path, lineage: candidate.path, copyOf },
  };
}

interface IdentifiedCheckpoint {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
}

function placedAt(checkpoint: FileCheckpoint, { path, device, inode, birth }: OpenCandidate): FileCheckpoint {
  const { birth: _birth, ...others } = checkpoint;
  return { ...others, path, device, inode, ...(birth === undefined ? {} : { birth }) };
}
