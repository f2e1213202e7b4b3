import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type FileSystem, nodeFileSystem } from '../state/file-system.ts';
import { CorruptEntryError } from './corrupt-entry-error.ts';
import {
  bytesOf,
  ENTRY_HEADER_BYTES,
  encodeEntryHeader,
  encodeSegmentHeader,
  endOfEntry,
  entryFault,
  entryLengthOf,
  type PayloadPart,
  SEGMENT_HEADER_BYTES,
  type SegmentLocation,
  segmentFileName,
  segmentOfFileName,
} from './segment-format.ts';
import { SegmentReader } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';

/*
 * An append-only log of byte strings in numbered files. The bytes have no meaning here: the owner keeps the locations (in the
 * state store), and that index is authoritative. Entries that are not in the index are garbage, unless the owner can
 * prove after a crash that they belong to the log: `entryAt` reads an entry without an index.
 *
 *     00000007.segment
 *     +--------------------+---------------------+------------+---------------------+------------+--- ...
 *     | header, 16 bytes   | entry header, 12    | payload    | entry header        | payload    |
 *     | MSEG version number| MENT length crc32   | length b.  |                     |            |
 *     +--------------------+---------------------+------------+---------------------+------------+--- ...
 *       4    4       8       4    4      4                     all numbers little-endian
 *
 *   The checksum covers length and payload. An entry is in one segment. A segment accepts entries until it has reached
 *   `segmentBytes` (64 MiB), so the last one may exceed this size.
 *
 * States of the bytes
 *
 *     append()          flush()            the owner commits the locations        remove()
 *     ---------> written ------> flushed -----------------------------> indexed ---------> gone
 *
 *   Written bytes may be lost or torn by a crash. After `flush` resolved they are on the disk, and so is the file's
 *   name in its directory. A location is not valid before that.
 *
 * Limits: one writer: `append`, `flush`, `truncateTo`, `seal` never overlap (asserted). Reads and removals may run
 * at the same time. At most 16 files are open for reading.
 *
 * Failures
 *   - `append` fails (full disk, I/O error, short write): the log is truncated to its length before the call.
 *   - `flush` fails: everything since the last flush is truncated, and these segments are never written again:
 *     after a failed fdatasync the kernel may hold pages as clean that never reached the disk, and a second fdatasync
 *     would succeed. The next append begins a new segment.
 *   - The truncation fails too: the segment keeps its garbage, and the next append begins a new one.
 *   - The owner's commit fails: it commits the same locations again, or calls `truncateTo` with its last indexed location.
 *
 * Recovery: `open` lists the files; the owner calls `truncateTo` with the last location of its index, which truncates
 * leftovers of a crash, and verifies locations with `holds`.
 */
const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;

export class SegmentLog {
  readonly directory: string;
  readonly #fileSystem: FileSystem;
  readonly #segmentBytes: number;
  /** The size of every segment file, by number, ascending. */
  readonly #sizes: Map<number, number>;
  readonly #reader: SegmentReader;
  /** The segment for new entries, if any. */
  #writer: SegmentWriter | undefined;
  /** Filled since the last flush, oldest first. */
  #unflushed: SegmentWriter[] = [];
  #nextSegment: number;
  #busy = false;

  static async open(options: SegmentLogOptions): Promise<SegmentLog> {
    const { directory, fileSystem = nodeFileSystem, segmentBytes = DEFAULT_SEGMENT_BYTES } = options;
    await fileSystem.makeDirectory(directory);
    const segments = (await fileSystem.list(directory))
      .map(segmentOfFileName)
      .filter((segment) => segment !== undefined)
      .sort((a, b) => a - b);
    const sizes = new Map<number, number>();
    for (const segment of segments) {
      const file = await fileSystem.open(join(directory, segmentFileName(segment)), 'read');
      sizes.set(segment, await file.size());
      await file.close();
    }
    return new SegmentLog({ directory, fileSystem, segmentBytes }, sizes);
  }

  private constructor(
    { directory, fileSystem, segmentBytes }: Required<SegmentLogOptions>,
    sizes: Map<number, number>,
  ) {
    this.directory = directory;
    this.#fileSystem = fileSystem;
    this.#segmentBytes = segmentBytes;
    this.#sizes = sizes;
    this.#nextSegment = Math.max(0, ...sizes.keys()) + 1;
    this.#reader = new SegmentReader(directory, fileSystem);
  }

  /** All segment files together. */
  get bytes(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  /** Ascending. */
  get segments(): readonly number[] {
    return [...this.#sizes.keys()];
  }

  /** The segment of the next append; undefined when it will begin a new one. */
  get writingSegment(): number | undefined {
    return this.#writer?.segment;
  }

  /** The size of one segment's file; 0 when it is missing. */
  sizeOf(segment: number): number {
    return this.#sizes.get(segment) ?? 0;
  }

  /** Whether the file exists and is long enough; its bytes are checked only when they are read. */
  holds(location: SegmentLocation): boolean {
    return (this.#sizes.get(location.segment) ?? 0) >= endOfEntry(location);
  }

  /**
   * Writes entries, each given in parts, which are not copied and may not change until this settles. Rejects
   * with the file system's error and the log as it was before.
   */
  append(payloads: readonly (readonly PayloadPart[])[]): Promise<SegmentLocation[]> {
    return this.#exclusive(async () => {
      const before = this.#position();
      try {
        const locations: SegmentLocation[] = [];
        let next = 0;
        while (next < payloads.length) {
          const writer = await this.#writerWithRoom();
          const buffers: Uint8Array[] = [];
          let offset = writer.size;
          for (; next < payloads.length && (offset < this.#segmentBytes || buffers.length === 0); next++) {
            const payload = payloads[next] ?? [];
            const parts = payload.map(bytesOf);
            const length = parts.reduce((sum, part) => sum + part.length, 0);
            buffers.push(encodeEntryHeader(payload, length), ...parts);
            locations.push({ segment: writer.segment, offset, length });
            offset += ENTRY_HEADER_BYTES + length;
          }
          await writer.write(buffers);
          this.#sizes.set(writer.segment, writer.size);
        }
        return locations;
      } catch (error) {
        await this.#cutBack(before);
        throw error;
      }
    });
  }

  /** Resolves when all appended entries are on disk. Rejects with all of them truncated. */
  flush(): Promise<void> {
    return this.#exclusive(async () => {
      const unflushed = this.#unflushed;
      const [first] = unflushed;
      if (first === undefined) return;
      const before = { segment: first.segment, size: first.flushedSize };
      try {
        for (const writer of unflushed) await writer.flush();
        if (unflushed.some(({ isNew }) => isNew)) await this.#fileSystem.syncDirectory(this.directory);
      } catch (error) {
        await this.#cutBack(before);
        this.#writer = undefined;
        this.#unflushed = [];
        for (const writer of unflushed) await writer.close();
        throw error;
      }
      this.#unflushed = [];
      for (const writer of unflushed) {
        writer.isNew = false;
        if (writer !== this.#writer) await writer.close();
      }
    });
  }

  /**
   * Reads an entry into a buffer of `allocate`, which may return a larger one. Rejects with a CorruptEntryError when the
   * entry is damaged.
   */
  async read(
    location: SegmentLocation,
    allocate: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafeSlow(bytes),
  ): Promise<Buffer> {
    const length = ENTRY_HEADER_BYTES + location.length;
    const entry = allocate(length).subarray(0, length);
    const count = await this.#reader.read(location, entry);
    const fault = entryFault(entry.subarray(0, count), location.length);
    if (fault !== undefined) throw new CorruptEntryError(this.pathOf(location.segment), location, fault);
    return entry.subarray(ENTRY_HEADER_BYTES);
  }

  /** The entry whose header is at `offset`; undefined when no valid entry begins there. For entries without an index. */
  async entryAt(segment: number, offset = SEGMENT_HEADER_BYTES): Promise<FoundEntry | undefined> {
    const room = this.sizeOf(segment) - offset - ENTRY_HEADER_BYTES;
    if (room < 0) return undefined;
    const header = Buffer.alloc(ENTRY_HEADER_BYTES);
    try {
      await this.#reader.read({ segment, offset, length: 0 }, header);
      const location = { segment, offset, length: entryLengthOf(header) };
      if (location.length > room) return undefined;
      return { location, payload: await this.read(location) };
    } catch (error) {
      if (error instanceof CorruptEntryError) return undefined;
      throw error;
    }
  }

  pathOf(segment: number): string {
    return join(this.directory, segmentFileName(segment));
  }

  /** Removes a whole segment that is not referenced and not being written. */
  async remove(segment: number): Promise<void> {
    assert(segment !== this.#writer?.segment, 'the segment is being written');
    if (!this.#sizes.has(segment)) return;
    await this.#reader.close(segment);
    await removeIfThere(this.#fileSystem, this.pathOf(segment));
    this.#sizes.delete(segment);
  }

  /** Makes the next append begin a new segment, so that the current one can be removed. */
  seal(): Promise<void> {
    return this.#exclusive(() => this.#leaveSegment());
  }

  /** Truncates everything after this entry, or the whole log. Continues in that segment if it is complete. */
  truncateTo(location: SegmentLocation | undefined): Promise<void> {
    return this.#exclusive(async () => {
      // A number in the owner's index is not used again, even if its file is lost.
      this.#nextSegment = Math.max(this.#nextSegment, (location?.segment ?? 0) + 1);
      await this.#cutBack(
        location === undefined
          ? { segment: 0, size: 0 }
          : { segment: location.segment, size: endOfEntry(location) },
      );
    });
  }

  /**
   * Flushes the segments from this one on, and their names. For entries that an earlier process has written: it may have
   * ended before its flush, and then only the memory of the kernel has them.
   */
  flushFrom(segment: number): Promise<void> {
    return this.#exclusive(async () => {
      for (const number of this.segments) {
        if (number < segment) continue;
        const file = await this.#fileSystem.open(this.pathOf(number), 'write');
        try {
          await file.datasync();
        } finally {
          await file.close();
        }
      }
      await this.#fileSystem.syncDirectory(this.directory);
    });
  }

  async close(): Promise<void> {
    await this.#leaveSegment();
    for (const writer of this.#unflushed) await writer.close();
    await this.#reader.closeAll();
  }

  #position(): Position {
    const writer = this.#writer;
    return writer === undefined
      ? { segment: this.#nextSegment, size: 0 }
      : { segment: writer.segment, size: writer.size };
  }

  async #writerWithRoom(): Promise<SegmentWriter> {
    if (this.#writer !== undefined && this.#writer.size >= this.#segmentBytes) await this.#leaveSegment();
    if (this.#writer === undefined) {
      const segment = this.#nextSegment;
      this.#sizes.set(segment, 0);
      const file = await this.#fileSystem.open(this.pathOf(segment), 'create');
      // Only now: a name whose creation failed may be tried again.
      this.#nextSegment++;
      this.#writer = new SegmentWriter(file, segment);
      this.#writer.isNew = true;
      this.#unflushed.push(this.#writer);
      await this.#writer.write([encodeSegmentHeader(segment)]);
      this.#sizes.set(segment, this.#writer.size);
    }
    if (!this.#unflushed.includes(this.#writer)) this.#unflushed.push(this.#writer);
    return this.#writer;
  }

  /**
   * Ends the log at a position: removes later segments and truncates its own. A segment that cannot be
   * truncated is not used again.
   */
  async #cutBack(position: Position): Promise<void> {
    for (const segment of [...this.#sizes.keys()].filter((number) => number > position.segment)) {
      await this.#drop(segment);
    }
    if (position.size <= SEGMENT_HEADER_BYTES) return this.#drop(position.segment);
    const size = this.#sizes.get(position.segment);
    // Missing or too short: the owner calls `holds`; the log does not append to such a segment.
    if (size === undefined || size < position.size) return this.#leaveSegment();
    try {
      this.#writer ??=
        this.#unflushed.find(({ segment }) => segment === position.segment) ??
        (await this.#reopen(position.segment));
      assert.equal(this.#writer.segment, position.segment);
      await this.#writer.truncate(position.size);
      this.#sizes.set(position.segment, position.size);
    } catch {
      await this.#leaveSegment();
    }
  }

  async #reopen(segment: number): Promise<SegmentWriter> {
    const file = await this.#fileSystem.open(this.pathOf(segment), 'write');
    return new SegmentWriter(file, segment, await file.size());
  }

  /** Removes a segment without valid entries. If that fails, it stays as garbage. */
  async #drop(segment: number): Promise<void> {
    if (!this.#sizes.has(segment)) return;
    for (const writer of this.#unflushed) if (writer.segment === segment) await writer.close();
    this.#unflushed = this.#unflushed.filter((writer) => writer.segment !== segment);
    if (this.#writer?.segment === segment) await this.#leaveSegment();
    try {
      await this.#reader.close(segment);
      await removeIfThere(this.#fileSystem, this.pathOf(segment));
      this.#sizes.delete(segment);
    } catch {
      // Its number is used; it is removed at the next start, or by `remove`.
    }
  }

  async #leaveSegment(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer !== undefined && !this.#unflushed.includes(writer)) await writer.close();
  }

  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    assert(!this.#busy, 'a segment log has one writer');
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}

export interface SegmentLogOptions {
  readonly directory: string;
  readonly segmentBytes?: number;
  readonly fileSystem?: FileSystem;
}

/** An entry that was found without an index. */
export interface FoundEntry {
  readonly location: SegmentLocation;
  readonly payload: Buffer;
}

interface Position {
  readonly segment: number;
  readonly size: number;
}

async function removeIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.remove(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
