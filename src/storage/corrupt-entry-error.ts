import type { SegmentLocation } from './segment-format.ts';

/** What lies at this place of a segment file is not what was written there. */
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
