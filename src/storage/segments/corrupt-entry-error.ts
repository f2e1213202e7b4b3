import type { SegmentLocation } from './segment-format.ts';

/** The bytes at this position of a segment file are not those that were written. */
export class CorruptEntryError extends Error {
  override readonly name = 'CorruptEntryError';
  readonly path: string;
  readonly location: SegmentLocation;

  constructor(path: string, location: SegmentLocation, what: string) {
    super(`${path}, entry at byte ${location.offset} (${location.length} bytes): ${what}`);
    this.path = path;
    this.location = location;
  }
}
