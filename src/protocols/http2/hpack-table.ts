import type { Header } from './header-list.ts';
import { STATIC_TABLE } from './hpack-static-table.ts';

/** The dynamic table of a decoder after the static one (RFC 7541, section 2.3). */
export class HpackTable {
  /** The newest entry is the last. */
  readonly #entries: Header[] = [];
  #bytes = 0;
  #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** undefined: there is no such entry. */
  at(index: number): Header | undefined {
    if (index <= STATIC_TABLE.length) return STATIC_TABLE[index - 1];
    return this.#entries[this.#entries.length - (index - STATIC_TABLE.length)];
  }

  /** An entry that is larger than the table empties it. */
  add(header: Header): void {
    this.#bytes += entryBytes(header);
    this.#entries.push(header);
    this.#evict();
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evict();
  }

  #evict(): void {
    let count = 0;
    for (const entry of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#bytes -= entryBytes(entry);
      count++;
    }
    if (count > 0) this.#entries.splice(0, count);
  }
}

/** The size of a header in tables and lists. */
export function entryBytes([name, value]: Header): number {
  return name.length + value.length + 32;
}
