/** The first bytes of the files of one kind. `undefined` is any byte. */
interface Magic {
  readonly kind: string;
  readonly bytes: readonly (number | undefined)[];
}

const MAGICS: readonly Magic[] = [
  { kind: 'gzip', bytes: [0x1f, 0x8b, 0x08] },
  { kind: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { kind: 'xz', bytes: [0xfd, ...ascii('7zXZ'), 0x00] },
  { kind: 'bzip2', bytes: [...ascii('BZh'), undefined, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59] },
  { kind: 'lz4', bytes: [0x04, 0x22, 0x4d, 0x18] },
  { kind: 'lz4', bytes: [0x02, 0x21, 0x4c, 0x18] },
  { kind: 'compress', bytes: [0x1f, 0x9d] },
  { kind: 'lzip', bytes: [...ascii('LZIP'), 0x01] },
  { kind: 'lzma', bytes: [0x5d, 0x00, 0x00, undefined, undefined] },
  { kind: 'lzop', bytes: [0x89, ...ascii('LZO'), 0x00] },
  { kind: '7z', bytes: [...ascii('7z'), 0xbc, 0xaf, 0x27, 0x1c] },
  { kind: 'zip', bytes: [...ascii('PK'), 0x03, 0x04] },
  // Skippable frames of zstd and lz4 may come first, as pzstd writes them: 5x 2a 4d 18.
  ...Array.from({ length: 16 }, (_, low) => ({ kind: 'zstd', bytes: [0x50 + low, 0x2a, 0x4d, 0x18] })),
];

/** The number of bytes that show whether a file is compressed. */
export const MAGIC_BYTES = Math.max(...MAGICS.map(({ bytes }) => bytes.length));

/**
 * The kind of compression, by the first bytes of a file; undefined for any other file. `undecided` for a
 * short file that may become compressed data, because a compressor writes its file in pieces.
 */
export function compressionOf(beginning: Uint8Array): { readonly kind: string } | 'undecided' | undefined {
  let isUndecided = false;
  for (const { kind, bytes } of MAGICS) {
    const known = bytes.slice(0, beginning.length);
    if (!known.every((byte, index) => byte === undefined || byte === beginning[index])) continue;
    if (beginning.length >= bytes.length) return { kind };
    isUndecided = true;
  }
  return isUndecided ? 'undecided' : undefined;
}

function ascii(text: string): readonly number[] {
  return [...Buffer.from(text)];
}
