import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';

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
  { directory, maxBytes }: { readonly directory: string; readonly maxBytes: number },
): Promise<FileHandle | string> {
  const place = join(directory, `inflated-${randomUUID()}`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(place, 'wx+', 0o600);
    await unlink(place);
    const problem = await inflateTo(handle, path, maxBytes);
    if (problem === undefined) return handle;
    await handle.close();
    return problem;
  } catch (error) {
    await handle?.close();
    return (error as Error).message;
  }
}

/** Chunk by chunk: memory does not grow with the size of the content. */
async function inflateTo(handle: FileHandle, path: string, maxBytes: number): Promise<string | undefined> {
  let length = 0;
  const inflate = extname(path) === '.gz' ? createGunzip() : inflateZstd;
  await pipeline(createReadStream(path), inflate, async (content: AsyncIterable<Uint8Array>) => {
    for await (const chunk of content) {
      length += chunk.length;
      if (length > maxBytes) return;
      await handle.write(chunk);
    }
  });
  return length > maxBytes ? `its content has more than ${maxBytes} bytes` : undefined;
}

/** Node 20 has no Zstandard. */
async function* inflateZstd(compressed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const inflated: Uint8Array[] = [];
  const stream = new Decompress((chunk) => inflated.push(chunk));
  for await (const chunk of compressed) {
    stream.push(chunk);
    yield* inflated.splice(0);
  }
  stream.push(new Uint8Array(0), true);
  yield* inflated.splice(0);
}
