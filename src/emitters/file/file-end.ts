import { z } from 'zod';
import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../records/check.ts';
import type { FileStat, OpenFile } from './file-system.ts';

/** The end of a file at some time, with data to identify the file and the position. */
export interface FileEnd {
  readonly device: string;
  readonly inode: string;
  readonly length: number;
  /** Checksum of the 64 bytes before `length`. */
  readonly check: Check;
}

const decimal = z.string().regex(/^\d{1,20}$/);

export const fileEndSchema = z.object({
  device: decimal,
  inode: decimal,
  length: z.int().min(0),
  check: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .transform((text) => text as Check),
});

/** The end of a file whose length is `length`. */
export async function endAt(file: OpenFile, { device, inode }: FileStat, length: number): Promise<FileEnd> {
  const before = await file.read(Math.max(0, length - CHECK_WINDOW_BYTES), length);
  return { device, inode, length, check: checkOf(before) };
}

export function isSameFile(
  one: Pick<FileStat, 'device' | 'inode'>,
  other: Pick<FileStat, 'device' | 'inode'> | undefined,
): boolean {
  return one.device === other?.device && one.inode === other.inode;
}

/** Whether this is the file of `end`, with unchanged bytes before it. It may be longer. */
export async function matches(end: FileEnd, file: OpenFile, stat: FileStat): Promise<boolean> {
  if (!isSameFile(end, stat) || stat.sizeBytes < end.length) return false;
  return (await endAt(file, stat, end.length)).check === end.check;
}
