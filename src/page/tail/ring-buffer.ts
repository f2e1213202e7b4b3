/** Keeps the newest items, up to a number and a size. */
export class RingBuffer<Item> {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #sizeOf: (item: Item) => number;
  #items: Item[] = [];
  #bytes = 0;
  /** Items at the start of `#items` that are discarded already. */
  #offset = 0;
  #discarded = 0;

  constructor({
    maxItems,
    maxBytes,
    sizeOf,
  }: { readonly maxItems: number; readonly maxBytes: number; readonly sizeOf: (item: Item) => number }) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#sizeOf = sizeOf;
  }

  get length(): number {
    return this.#items.length - this.#offset;
  }

  /** How many items were discarded since the start or the last `clear`. */
  get discarded(): number {
    return this.#discarded;
  }

  push(item: Item): void {
    this.#items.push(item);
    this.#bytes += this.#sizeOf(item);
    while (this.length > this.#maxItems || (this.#bytes > this.#maxBytes && this.length > 1))
      this.#discardOldest();
    if (this.#offset > this.#maxItems) this.#compact();
  }

  /** 0 is the oldest. */
  at(index: number): Item | undefined {
    return index < 0 ? undefined : this.#items[this.#offset + index];
  }

  toArray(): readonly Item[] {
    return this.#items.slice(this.#offset);
  }

  clear(): void {
    this.#items = [];
    this.#offset = 0;
    this.#bytes = 0;
    this.#discarded = 0;
  }

  #discardOldest(): void {
    const item = this.#items[this.#offset];
    if (item !== undefined) this.#bytes -= this.#sizeOf(item);
    // The item can be collected before the next compaction.
    this.#items[this.#offset] = undefined as Item;
    this.#offset++;
    this.#discarded++;
  }

  /** Rarely, so that a push costs the same on average. */
  #compact(): void {
    this.#items = this.#items.slice(this.#offset);
    this.#offset = 0;
  }
}
