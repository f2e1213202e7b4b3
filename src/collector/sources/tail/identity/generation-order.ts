import { isYoungerByName } from '../files/rotation-names.ts';
import type { FileStream } from '../reading/file-stream.ts';

/**
 * The generations of each path, one behind the other. The first of a line is the one that is sent; the next is opened
 * when that one has yielded: it stands under another name or was deleted, has rested at its end, and all of it is
 * accepted. What has yielded is still followed; should something be written to it after all, it is sent.
 *
 * A generation that turns up late (a copy is seen after what was written when it had been made; a restart finds files
 * in another order) takes its place among those that wait. One whose turn would have been before the one that is being
 * sent cannot: it must not wait for it either, since that may stand at the path for ever. It is sent beside it, in a
 * second line.
 */
export class GenerationOrder {
  readonly #lines = new Map<string, FileStream[]>();

  /** The youngest generation of a path that has not yielded. */
  last(lineage: string): FileStream | undefined {
    return this.#lines.get(lineage)?.at(-1);
  }

  /** The generation whose turn it is. */
  first(lineage: string): FileStream | undefined {
    return this.#lines.get(lineage)?.[0];
  }

  /** When everybody's name is as the last listing has it: the age of those that wait is told by their names. */
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

  /** Whether a generation that is not open would have its turn now. Changes nothing. */
  isAnyWaiting(): boolean {
    for (const line of this.#lines.values()) {
      const next = line.find((stream) => !isPast(stream));
      if (next !== undefined && (!next.isOpened || next.isHeldBack)) return true;
    }
    return false;
  }

  /** Lets those go that have yielded; returns the streams whose turn it now is and that are not open. */
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

/** Asked only of a stream that would go after the new one: an open one is held back by it, if nothing of it was read. */
function mayGiveWay(stream: FileStream): boolean {
  return !stream.isOpened || (!stream.isEnded && stream.holdBack());
}

function mayFollow(stream: FileStream, other: FileStream): boolean {
  return stream.isEnded || isYounger(stream, other);
}

/** By their names; a file that has left the patterns, or was deleted, is older than the file at the path itself. */
function isYounger(stream: FileStream | undefined, than: FileStream): boolean {
  if (stream === undefined || isAway(stream)) return false;
  if (isAway(than)) return stream.path === stream.lineage;
  return isYoungerByName(stream, than);
}

function isAway({ presence }: FileStream): boolean {
  return presence.isMovedAway || presence.deletedSinceMs !== undefined;
}

/** No path contains it. */
function nextLine(name: string): string {
  return `${name}\0`;
}

function isPast(stream: FileStream): boolean {
  if (stream.isDiverged) return false;
  if (stream.isEnded) return !stream.isOpened || stream.accepted >= stream.position;
  return stream.isHandedOver && stream.isOpened;
}
