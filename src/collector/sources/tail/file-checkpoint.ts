import type { Check } from '../../../records/check.ts';
import type { Position } from '../../../records/position.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import type { Head, Prefix } from './file-identity.ts';

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
  readonly prefix: Prefix;
  /** Where the stream begins: 0, unless it took over from another or began at the file's end. */
  readonly start: Position;
  /**
   * The ends of the last accepted batches, ascending, with their checks. The last one is the end of the contiguous
   * accepted bytes.
   */
  readonly marks: readonly PositionMark[];
  /** All of it was accepted when it made room for the next generation. */
  readonly yielded: boolean;
  /** Nothing is read up to here: the file is a copy of that stream's bytes. */
  readonly copyOf: StreamId | null;
  /** How long the collector has run without seeing a file of this identity. */
  readonly absentMs: number;
};

/** Evidence: the check of a position. */
export type PositionMark = readonly [position: Position, check: Check];

/** The first checkpoint of a file that nothing is known of, or only that it is a copy. */
export function checkpointOf(
  file: {
    readonly path: string;
    readonly target?: string;
    readonly device: string;
    readonly inode: string;
    readonly head: Head;
  },
  options: { readonly lineage: string; readonly mark: PositionMark; readonly copyOf: StreamId | null },
): FileCheckpoint {
  const { path, device, inode, head } = file;
  const { lineage, mark, copyOf } = options;
  return {
    ...{ path, home: path, lineage, device, inode },
    prefix: head.prefix(),
    start: mark[0],
    marks: [mark],
    yielded: false,
    copyOf,
    absentMs: 0,
  };
}
