/** Why the file cannot be used, and what to do; a whole sentence. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** What DuckDB's message means for whoever has to act on it; nothing when that is not known. */
export function adviceFor(message: string): string {
  const found = ADVICE.find(([pattern]) => pattern.test(message));
  return found === undefined ? '' : `. ${found[1]}`;
}

const DAMAGED =
  'If the file is damaged, move it and what lies beside it (.wal) away: a new one is begun, and what is queued goes there';

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /No space left|ENOSPC|Disk quota exceeded/,
    'The disk is full: make room, or lower "retention_size"; it is tried again by itself',
  ],
  [
    /Conflicting lock|Could not set lock/,
    'Another process has it open: end that one; it is tried again by itself',
  ],
  [
    /Permission denied|EACCES|EROFS|Read-only file system/,
    'Let this process write there; it is tried again by itself',
  ],
  [/Out of Memory/, 'It needs more "memory"'],
  [/Corrupt|checksum|Could not read|WAL|not a valid DuckDB|Loading external extensions/, DAMAGED],
];
