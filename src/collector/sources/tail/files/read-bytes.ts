import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import type { ReadableFile } from './readable-file.ts';

/** Reads the bytes `[start, end)`, or fewer at the end of the file. */
export async function readBytes(handle: ReadableFile, start: Position, end: Position): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(end - start);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, start + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** The check of a position in a file; undefined when the file is shorter. */
export async function readCheck(handle: ReadableFile, position: Position): Promise<Check | undefined> {
  const start = Math.max(0, position - CHECK_WINDOW_BYTES);
  const window = await readBytes(handle, start, position);
  return window.length === position - start ? checkOf(window) : undefined;
}
