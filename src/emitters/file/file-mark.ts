import { z } from 'zod';
import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../records/check.ts';
import type { FileStat, OpenFile } from './file-system.ts';

/** The end of a file at some time, with data to identify the file and the position. */
export interface FileMark {
  readonly device: string;
  readonly inode: string;
  readonly length: number;
  /** Checksum of the 64 bytes before `length`. */
  readonly check: Check;
}

const decimal = z.string().regex(/^\d{1,20}$/);

export const fileMarkSchema = z.object({
  device: decimal,
  inode: decimal,
  length: z.int().min(0),
  check: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .transform((text) => text as Check),
});

/** Creates the mark of `length` in a file. */
export async function markAt(file: OpenFile, { device, inode }: FileStat, length: number): Promise<FileMark> {
  const before = await file.read(Math.max(0, length - CHECK_WINDOW_BYTES), length);
  return { device, inode, length, check: checkOf(before) };
}

export function isSameFile(
  one: Pick<FileStat, 'device' | 'inode'>,
  other: Pick<FileStat, 'device' | 'inode'> | undefined,
): boolean {
  return one.device === other?.device && one.inode === other.inode;
}

/** Whether this is the file of the mark, with unchanged bytes before it. */
export async function matches(mark: FileMark, file: OpenFile, stat: FileStat): Promise<boolean> {
  if (!isSameFile(mark, stat) || stat.sizeBytes < mark.length) return false;
  return (await markAt(file, stat, mark.length)).check === mark.check;
}
