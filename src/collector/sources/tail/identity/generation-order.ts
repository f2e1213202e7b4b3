import { isCompressed, withoutCompression } from '../files/path-patterns.ts';
import { isYoungerByName } from '../files/rotation-names.ts';
import type { FileStream } from '../reading/file-stream.ts';

/**
 * The generations of each path, in a line. The first one is sent. The next one is opened when the first has
 * handed over: it was renamed or deleted, was idle at its end, and all of it is accepted. A generation that
 * has handed over is still followed: if a process writes to it again, those bytes are sent.
 *
 * A generation may be found late: a copy is found after bytes that are younger, or a restart finds files in
 * another order. It is inserted among the generations that wait. If it is older than the generation that is
 * being sent, it cannot be sent first any more. It must not wait either, because that generation may stay at
 * the path forever. So it is sent at the same time, in a second line.
 */
export class GenerationOrder {
  readonly #lines = new Map<string, FileStream[]>();

  /** The youngest generation of a path that has not handed over. */
  last(lineage: string): FileStream | undefined {
    return this.#lines.get(lineage)?.at(-1);
  }

  /** The generation whose turn it is. */
  first(lineage: string): FileStream | undefined {
    return this.#lines.get(lineage)?.[0];
  }

  /** Called when the names of all streams are those of the last listing: the order follows from the names. */
  add(stream: FileStream): void {
    for (let name = stream.lineage; ; name = nextLine(name)) {
      const line = this.#lines.get(name);
      if (line === undefined) {
        this.#lines.set(name, [stream]);
        return;
      }
      const place = line.findLastIndex((other) => !mayFollow(other, stream) || !mayGiveWay(other)) + 1;
      const isLate = place === line.length && isYounger(line.at(-1), stream);
      if (isLate) continue;
      line.splice(place, 0, stream);
      return;
    }
  }

  replace(stream: FileStream, by: FileStream): void {
    for (const line of this.#lines.values()) {
      const index = line.indexOf(stream);
      if (index >= 0) line.splice(index, 1, by);
    }
  }

  remove(stream: FileStream): void {
    for (const line of this.#lines.values()) {
      const index = line.indexOf(stream);
      if (index >= 0) line.splice(index, 1);
    }
  }

  /** Whether a generation that is not open has its turn now. Changes nothing. */
  isAnyWaiting(): boolean {
    for (const line of this.#lines.values()) {
      const next = line.find((stream) => !isPast(stream));
      if (next !== undefined && (!next.isOpened || next.isHeldBack)) return true;
    }
    return false;
  }

  /**
   * Removes the generations that have handed over. Returns the streams that have their turn and are not open.
   */
  advance(): FileStream[] {
    const turn: FileStream[] = [];
    for (const [name, line] of this.#lines) {
      while (line[0] !== undefined && isPast(line[0])) line.shift();
      if (line[0] === undefined) this.#lines.delete(name);
      else if (!line[0].isOpened || line[0].isHeldBack) turn.push(line[0]);
    }
    return turn;
  }
}

/**
 * Called for a stream that is younger than the new one. An open stream is held back, if no byte of it was
 * read.
 */
function mayGiveWay(stream: FileStream): boolean {
  return !stream.isOpened || (!stream.isEnded && stream.holdBack());
}

function mayFollow(stream: FileStream, other: FileStream): boolean {
  return stream.isEnded || isYounger(stream, other);
}

/** By their names. A file that was moved away or deleted is older than the file at the path itself. */
function isYounger(stream: FileStream | undefined, than: FileStream): boolean {
  if (stream === undefined || isAway(stream)) return false;
  if (isAway(than) || isCompressed(than.path)) {
    if (stream.path === stream.lineage) return true;
    if (isAway(than)) return false;
  }
  return isYoungerByName(named(stream), named(than));
}

/** An archive has the place of the file from which it was made. */
function named({ path, modifiedUnixMs }: FileStream): {
  readonly path: string;
  readonly modifiedUnixMs: number;
} {
  return { path: withoutCompression(path), modifiedUnixMs };
}

function isAway({ path, presence }: FileStream): boolean {
  if (isCompressed(path)) return false;
  return presence.isMovedAway || presence.deletedSinceMs !== undefined;
}

/** A path contains no NUL. */
function nextLine(name: string): string {
  return `${name}\0`;
}

function isPast(stream: FileStream): boolean {
  if (stream.isDiverged) return false;
  if (stream.isEnded) return !stream.isOpened || stream.accepted >= stream.position;
  return stream.isHandedOver && stream.isOpened;
}
