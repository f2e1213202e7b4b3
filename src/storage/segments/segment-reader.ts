import { join } from 'node:path';
import type { FileSystem, OpenFile } from '../state/file-system.ts';
import { CorruptEntryError } from './corrupt-entry-error.ts';
import {
  SEGMENT_HEADER_BYTES,
  type SegmentLocation,
  segmentFileName,
  segmentHeaderFault,
} from './segment-format.ts';

/** Reads from segment files and keeps the most recently used ones open. */
export class SegmentReader {
  readonly #directory: string;
  readonly #fileSystem: FileSystem;
  /** Least recently used first. */
  readonly #files = new Map<number, Promise<OpenFile>>();

  constructor(directory: string, fileSystem: FileSystem) {
    this.#directory = directory;
    this.#fileSystem = fileSystem;
  }

  /** Fills the buffer from the entry's location; returns the number of bytes read. */
  async read(location: SegmentLocation, buffer: Buffer): Promise<number> {
    const file = await this.#open(location);
    return file.read(buffer, location.offset);
  }

  /** Node closes a file after its pending reads. */
  async close(segment: number): Promise<void> {
    const opening = this.#files.get(segment);
    this.#files.delete(segment);
    const file = await opening?.catch(() => undefined);
    await file?.close();
  }

  async closeAll(): Promise<void> {
    for (const segment of [...this.#files.keys()]) await this.close(segment);
  }

  async #open(location: SegmentLocation): Promise<OpenFile> {
    const { segment } = location;
    const opening = this.#files.get(segment) ?? this.#openFile(location);
    this.#files.delete(segment);
    this.#files.set(segment, opening);
    const [oldest] = this.#files.keys();
    if (this.#files.size > MAX_OPEN_FILES && oldest !== undefined) await this.close(oldest);
    try {
      return await opening;
    } catch (error) {
      if (this.#files.get(segment) === opening) this.#files.delete(segment);
      throw error;
    }
  }

  async #openFile(location: SegmentLocation): Promise<OpenFile> {
    const path = join(this.#directory, segmentFileName(location.segment));
    const file = await this.#fileSystem.open(path, 'read').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new CorruptEntryError(path, location, 'the file is missing') : error;
    });
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const count = await file.read(header, 0);
    const fault = segmentHeaderFault(header.subarray(0, count), location.segment);
    if (fault === undefined) return file;
    await file.close();
    throw new CorruptEntryError(path, location, fault);
  }
}

const MAX_OPEN_FILES = 16;
