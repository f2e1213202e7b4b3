/** More paths with encodings of their own are not remembered. */
const MAX_PATHS = 10_000;

/**
 * The encodings that the files at a path had, by the beginnings of the files. A file that is truncated in place has no
 * byte order mark any more, because its program has written the mark already.
 */
export class DetectedEncodings {
  readonly #byLineage = new Map<string, string>();

  /** `lineage`: the path of which a file is a generation. */
  of(lineage: string): string | undefined {
    return this.#byLineage.get(lineage);
  }

  note(lineage: string, encoding: string): void {
    if (this.#byLineage.size < MAX_PATHS || this.#byLineage.has(lineage))
      this.#byLineage.set(lineage, encoding);
  }
}
