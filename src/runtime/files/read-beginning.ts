import { constants, open } from 'node:fs/promises';

/**
 * Reads at most `maxBytes` of a regular file. Not readFile: a device would never end, and the open of a FIFO would block
 * without a writer. Rejects with the error of the file system.
 */
export async function readBeginning(path: string, maxBytes: number): Promise<Buffer | 'not-a-file'> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return 'not-a-file';
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(maxBytes) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
