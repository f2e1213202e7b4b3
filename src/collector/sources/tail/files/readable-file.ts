import type { BigIntStats, Stats } from 'node:fs';

/** An open file that is read at positions. Node's `FileHandle` is one, and so is `LocalFile`. */
export interface ReadableFile {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<BytesRead>;
  readv(buffers: readonly Uint8Array[], position: number): Promise<BytesRead>;
  stat(): Promise<Stats>;
  stat(options: { readonly bigint: true }): Promise<BigIntStats>;
  close(): Promise<void>;
}

interface BytesRead {
  readonly bytesRead: number;
}
