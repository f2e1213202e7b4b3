import { checkOf } from '../../../../records/check.ts';
import { mintStreamId, type StreamId } from '../../../../records/stream-id.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { ArchiveContent } from '../files/archive-content.ts';
import type { TailEvents } from '../files/events.ts';
import { FileAccess } from '../files/file-access.ts';
import { checkpointOf, type FileCheckpoint } from '../files/file-checkpoint.ts';
import type { OpenFiles } from '../files/open-files.ts';
import type { ArchivePlace, PathPatterns } from '../files/path-patterns.ts';
import type { DormantStream } from '../identity/dormant-streams.ts';
import type { FollowedFiles } from '../identity/followed-files.ts';
import type { StreamStarter } from '../identity/stream-starter.ts';
import type { FileStream } from '../reading/file-stream.ts';
import type { ArchiveFile } from './archive-files.ts';
import { InflatedArchive } from './inflated-archive.ts';
import type { InflationRoom } from './inflation-room.ts';

/** A stream whose bytes may be in an archive now. */
export type ContinuingStream = {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
} & (
  | { readonly kind: 'dormant'; readonly dormant: DormantStream }
  | { readonly kind: 'lost'; readonly stream: FileStream }
);

/** Starts the streams that read archives. The content of each is inflated when its turn comes. */
export class ArchiveStreams {
  readonly #parts: ArchiveStreamsParts;

  constructor(parts: ArchiveStreamsParts) {
    this.#parts = parts;
  }

  /** False when no entry reads the stream any more. */
  resume(known: ContinuingStream, archive: ArchiveFile, content: ArchiveContent): boolean {
    const { files, events } = this.#parts;
    const file = this.#access(archive, content);
    const { sizeBytes } = content;
    const { modifiedUnixMs } = archive;
    if (known.kind === 'lost') {
      const { stream } = known;
      files.detach(stream);
      stream.continueIn(file, { sizeBytes, modifiedUnixMs, birth: undefined });
      files.follow(stream);
      this.#markArchived(stream);
      events.replaced({ stream: stream.id, path: archive.path });
      return true;
    }
    const { birth: _birth, finished: _finished, lostBytes: _lost, ...rest } = known.checkpoint;
    const entry = this.#parts.patterns.entryFor(rest.home) ?? archive.written?.entry;
    if (entry === undefined) return false;
    const { path, device, inode } = archive;
    const { target: _target, ...checkpoint } = { ...rest, path, device, inode };
    const parts = { file, entry, sizeBytes, modifiedUnixMs };
    this.#markArchived(this.#parts.starter.resumeDormant({ id: known.id, checkpoint }, parts));
    return true;
  }

  /** A new stream reads the content from its beginning. */
  start(
    archive: ArchiveFile,
    content: ArchiveContent,
    written: ArchivePlace & { readonly lineage: string },
  ): StreamId {
    const { starter, events } = this.#parts;
    const { home, entry, lineage } = written;
    const { path, device, inode, modifiedUnixMs } = archive;
    const { beginning, sizeBytes } = content;
    const id = mintStreamId();
    const mark = [0, checkOf(Buffer.alloc(0)), 0] as const;
    const identified = { path, device, inode, birth: undefined, beginning };
    const checkpoint = { ...checkpointOf(identified, { lineage, mark, copyOf: null }), home };
    const file = this.#access(archive, content);
    this.#markArchived(starter.start({ id, checkpoint, file, entry, sizeBytes, modifiedUnixMs }));
    events.archiveBegan({ stream: id, path, home, position: 0 });
    return id;
  }

  #access(archive: ArchiveFile, { sizeBytes }: ArchiveContent): FileAccess {
    const { room, openFiles } = this.#parts;
    const { path, device, inode, modifiedUnixMs } = archive;
    const content = new InflatedArchive({ sizeBytes, modifiedUnixMs }, { room, openFiles });
    return FileAccess.ofContent(content, { path, device, inode }, openFiles);
  }

  /** An archive is finished like a deleted file: it gets no more bytes. */
  #markArchived({ presence }: FileStream): void {
    presence.markDeleted(this.#parts.clock.monotonicMs());
    presence.markPathAbsent();
  }
}

export interface ArchiveStreamsParts {
  readonly files: FollowedFiles;
  readonly patterns: PathPatterns;
  readonly openFiles: OpenFiles;
  readonly starter: StreamStarter;
  readonly events: TailEvents;
  readonly clock: Clock;
  readonly room: InflationRoom;
}
