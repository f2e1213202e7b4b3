import type { FileStream } from './file-stream.ts';

/**
 * The generations of each path, one behind the other. The first of a line is the one that is sent; the next is opened
 * when that one has yielded: it stands under another name or was deleted, has rested at its end, and all of it is
 * accepted. What has yielded is still followed; should something be written to it after all, it is sent.
 */
export class Lineages {
  readonly #lines = new Map<string, FileStream[]>();

  /** The youngest generation of a path that has not yielded. */
  last(lineage: string): FileStream | undefined {
    return this.#lines.get(lineage)?.at(-1);
  }

  /** The generation whose turn it is. */
  first(lineage: string): FileStream | undefined {
    return this.#lines.get(lineage)?.[0];
  }

  add(stream: FileStream): void {
    const line = this.#lines.get(stream.lineage);
    if (line === undefined) this.#lines.set(stream.lineage, [stream]);
    else line.push(stream);
  }

  /** Puts a generation that turned up late before the next one, which has not been opened yet. */
  addBefore(stream: FileStream, next: FileStream): void {
    const line = this.#lines.get(stream.lineage);
    line?.splice(line.indexOf(next), 0, stream);
  }

  replace(stream: FileStream, by: FileStream): void {
    const line = this.#lines.get(stream.lineage);
    const index = line?.indexOf(stream) ?? -1;
    if (index >= 0) line?.splice(index, 1, by);
  }

  /** Lets those go that have yielded; returns the streams whose turn it now is and that are not open. */
  advance(): FileStream[] {
    const turn: FileStream[] = [];
    for (const [lineage, line] of this.#lines) {
      while (line[0] !== undefined && isPast(line[0])) line.shift();
      if (line[0] === undefined) this.#lines.delete(lineage);
      else if (!line[0].opened) turn.push(line[0]);
    }
    return turn;
  }
}

function isPast(stream: FileStream): boolean {
  if (stream.diverged) return false;
  if (stream.ended) return !stream.opened || stream.accepted >= stream.position;
  return stream.yielded && stream.opened;
}
