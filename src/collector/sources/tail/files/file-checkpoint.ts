import type { Check } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import type { StreamId } from '../../../../records/stream-id.ts';
import type { FilePrefix, PrefixHash } from './file-prefix.ts';

/** The number of ends of accepted batches that are saved with their checks. */
export const REMEMBERED_CHECKS = 16;

/**
 * The state of a stream on disk. A position is an offset in the file. The names of the fields are a format:
 * earlier and later versions read them.
 */
export type FileCheckpoint = {
  /** The path where the file was seen last. */
  readonly path: string;
  /** The path of the file itself, when a symbolic link is part of `path`. */
  readonly target?: string;
  /** The path where the file was seen first: the path that its records carry. */
  readonly home: string;
  /** The path of which the file is a generation: `home`, or the path from which a rotation made `home`. */
  readonly lineage: string;
  readonly device: string;
  readonly inode: string;
  /**
   * The time of creation in nanoseconds: distinguishes files with the same inode number. Absent when unknown.
   */
  readonly birth?: string;
  readonly prefix: PrefixHash;
  /** Where the stream begins: 0, unless it continues another stream or was started at the end of the file. */
  readonly start: Position;
  /** The number of accepted bytes of the streams that this one has replaced. Absent when there are none. */
  readonly acceptedBefore?: number;
  /**
   * The ends of the last accepted batches, ascending, with their checks. The last one is the end of the
   * contiguous accepted bytes.
   */
  readonly marks: readonly PositionMark[];
  /** Where the checksums of the marks begin. Absent in the state of a version without checksums. */
  readonly checksumFrom?: Position;
  /** The format that the first records have decided. Absent when the configuration names the format. */
  readonly format?: string;
  /** The encoding that the beginning of the file has decided. Absent for UTF-8, and when the configuration names it. */
  readonly encoding?: string;
  /** The holes of NUL bytes that were skipped. Absent when there are none. */
  readonly holes?: SkippedHoles;
  /** The size of the file in the last scan or read. */
  readonly sizeBytes?: number;
  /** The time of the last write to the file, in the last scan. */
  readonly modifiedUnixMs?: number;
  /** The file was found to be deleted: a file at its path is another file, with any content. */
  readonly deleted?: true;
  /** The file had other bytes afterwards: equal bytes that are written to it again are new. */
  readonly superseded?: true;
  /** The stream has ended: all that could be read was read, or the loss was reported. */
  readonly finished?: true;
  /** The number of bytes that were not read when the file was gone. */
  readonly lostBytes?: number;
  /** The stream has handed over to the next generation (`isHandedOver`). */
  readonly yielded: boolean;
  /** The file is a copy of the bytes of this stream: it is not read. */
  readonly copyOf: StreamId | null;
  /** How long the collector has run without finding the file. */
  readonly absentMs: number;
};

/** The number of holes that were skipped in a stream, and the end of the last one. */
export type SkippedHoles = { readonly count: number; readonly end: Position };

/** The evidence for a position: its check, and the CRC-32 of all bytes from `checksumFrom` to it. */
export type PositionMark = readonly [position: Position, check: Check, ...crc32: readonly number[]];

/** The number of accepted bytes of a stream, and of those that it has replaced. */
export function acceptedBytesOf({ start, marks, acceptedBefore = 0 }: FileCheckpoint): number {
  const [position = start] = marks.at(-1) ?? [];
  return position - start + acceptedBefore;
}

interface IdentifiedFile {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly birth: string | undefined;
  readonly beginning: FilePrefix;
}

/** The first checkpoint of a new file, or of a copy. */
export function checkpointOf(
  file: IdentifiedFile,
  options: { readonly lineage: string; readonly mark: PositionMark; readonly copyOf: StreamId | null },
): FileCheckpoint {
  const { path, device, inode, birth, beginning } = file;
  const { lineage, mark, copyOf } = options;
  return {
    ...{ path, home: path, lineage, device, inode },
    ...(birth === undefined ? {} : { birth }),
    ...(mark[2] === undefined ? {} : { checksumFrom: 0 }),
    prefix: beginning.hashWithoutNuls,
    start: mark[0],
    marks: [mark],
    yielded: false,
    copyOf,
    absentMs: 0,
  };
}
