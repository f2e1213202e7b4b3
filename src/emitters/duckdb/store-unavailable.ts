/** The file cannot be used. The message is a sentence with the reason and the remedy. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** The remedy for a message of DuckDB; empty if there is none. */
export function adviceFor(message: string): string {
  const found = ADVICE.find(([pattern]) => pattern.test(message));
  return found === undefined ? '' : `. ${found[1]}`;
}

const DAMAGED =
  'If the file is damaged, move it and its write-ahead log (.wal) away: a new file is created, and queued records are written to it';

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /No space left|ENOSPC|Disk quota exceeded/,
    'The disk is full: free space, or lower "retention_size". It is retried automatically',
  ],
  [
    /Conflicting lock|Could not set lock/,
    'Another process has opened it: end that process. It is retried automatically',
  ],
  [
    /Permission denied|EACCES|EROFS|Read-only file system/,
    'Give this process write permission. It is retried automatically',
  ],
  [/Out of Memory/, 'Increase "memory"'],
  [/Corrupt|checksum|Could not read|WAL|not a valid DuckDB|Loading external extensions/, DAMAGED],
];
