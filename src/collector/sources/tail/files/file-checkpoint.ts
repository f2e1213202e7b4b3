import type { Check } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import type { StreamId } from '../../../../records/stream-id.ts';
import type { FilePrefix, PrefixHash } from './file-prefix.ts';

/** So many ends of accepted batches are remembered with their checks. */
export const REMEMBERED_CHECKS = 16;

/** What is kept of a stream on disk; in a file's stream, a position is an offset in the file. */
export type FileCheckpoint = {
  /** Where the file was seen last. */
  readonly path: string;
  /** Where the file itself was, when a symbolic link is part of the path. */
  readonly target?: string;
  /** Where it was seen first: what its records call their file, and what must be empty before a next generation comes. */
  readonly home: string;
  /** The path whose generation it is: `home`, or what `home` is a rotated name of. */
  readonly lineage: string;
  readonly device: string;
  readonly inode: string;
  /** When the file was created, in nanoseconds: tells a file from a later one at the same inode. Absent when unknown. */
  readonly birth?: string;
  readonly prefix: PrefixHash;
  /** Where the stream begins: 0, unless it took over from another or began at the file's end. */
  readonly start: Position;
  /**
   * The ends of the last accepted batches, ascending, with their checks. The last one is the end of the contiguous
   * accepted bytes.
   */
  readonly marks: readonly PositionMark[];
  /** Where the checksums of the marks begin. Absent in the state of a version that kept none. */
  readonly checksumFrom?: Position;
  /** The holes of NUL bytes that were skipped. Absent when there are none. */
  readonly holes?: SkippedHoles;
  /** The size of the file when it was seen last. */
  readonly sizeBytes?: number;
  /** When the file was written last, as far as it was seen. */
  readonly modifiedUnixMs?: number;
  /** The collector saw that the file was deleted: another file at its path is another file, whatever is in it. */
  readonly deleted?: true;
  /** The file itself had other bytes afterwards: equal bytes that come into it again are new ones. */
  readonly superseded?: true;
  /** The stream is over: all that could be read of it was read, or its loss was reported. */
  readonly finished?: true;
  /** How many bytes were not read when its file was gone. */
  readonly lostBytes?: number;
  /** All of it was accepted when it made room for the next generation. */
  readonly yielded: boolean;
  /** Nothing is read up to here: the file is a copy of that stream's bytes. */
  readonly copyOf: StreamId | null;
  /** How long the collector has run without seeing a file of this identity. */
  readonly absentMs: number;
};

/** How many holes of a stream were skipped, and where the last one ends. */
export type SkippedHoles = { readonly count: number; readonly end: Position };

/** Evidence: the check of a position, and the CRC-32 of all bytes from `checksumFrom` up to it. */
export type PositionMark = readonly [position: Position, check: Check, ...crc32: readonly number[]];

interface IdentifiedFile {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly birth: string | undefined;
  readonly beginning: FilePrefix;
}

/** The first checkpoint of a file that nothing is known of, or only that it is a copy. */
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
