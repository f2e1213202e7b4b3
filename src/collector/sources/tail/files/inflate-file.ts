import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { zstdChunks } from './zstd-chunks.ts';

/** The endings of files that can be inflated. */
const INFLATED: readonly string[] = ['.gz', '.zst'];

export function canInflate(path: string): boolean {
  return INFLATED.includes(extname(path));
}

/**
 * Writes the content of a compressed file to a file in `directory` that has no name: its disk space is free when
 * the handle is closed, also after a crash. Returns the reason if the file is damaged, not complete yet, or has a
 * content of more than `maxBytes`.
 */
export async function inflateFile(
  path: string,
  { directory, maxBytes, inode }: InflateLimits & { readonly directory: string },
): Promise<FileHandle | string> {
  const place = join(directory, `inflated-${randomUUID()}`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(place, 'wx+', 0o600);
    await unlink(place);
    const file = handle;
    const problem = await forEachChunk(path, { maxBytes, inode }, (chunk) => writeAll(file, chunk));
    if (problem === undefined) return handle;
    await handle.close();
    return problem;
  } catch (error) {
    await handle?.close();
    return (error as Error).message;
  }
}

/**
 * Calls `use` with each piece of the content: memory does not grow with its size. Returns the reason if the file is
 * damaged, not complete yet, or has a content of more than `maxBytes`; an error of `use` is such a reason too.
 */
export async function forEachChunk(
  path: string,
  { maxBytes, inode }: InflateLimits,
  use: (chunk: Uint8Array) => Promise<void> | void,
): Promise<string | undefined> {
  let length = 0;
  let source: FileHandle | undefined;
  const inflate = extname(path) === '.gz' ? createGunzip() : zstdChunks;
  try {
    source = await open(path);
    if (String((await source.stat({ bigint: true })).ino) !== inode) return RENAMED;
    await pipeline(source.createReadStream(), inflate, async (content: AsyncIterable<Uint8Array>) => {
      for await (const chunk of content) {
        length += chunk.length;
        if (length > maxBytes) return;
        await use(chunk);
      }
    });
  } catch (error) {
    if (length <= maxBytes) return (error as Error).message;
  } finally {
    await source?.close().catch(() => undefined);
  }
  return length > maxBytes ? `its content has more than ${maxBytes} bytes` : undefined;
}

export interface InflateLimits {
  readonly maxBytes: number;
  /** The inode of the file: a rotation may rename it, and another one to its name. */
  readonly inode: string;
}

/** The reason when another file is at the path. */
export const RENAMED = 'another file is at its path';

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await handle.write(chunk, done)).bytesWritten;
}
