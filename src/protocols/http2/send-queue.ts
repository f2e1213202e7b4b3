import type { HeaderList } from './header-list.ts';

/** The outgoing headers and data of one stream, in order. */
export class SendQueue {
  readonly #items: SendItem[] = [];

  get first(): SendItem | undefined {
    return this.#items[0];
  }

  addHeaders(list: HeaderList, end: boolean): void {
    this.#items.push({ kind: 'headers', list, end });
  }

  addData(parts: readonly Uint8Array[], end: boolean, onSent: (() => void) | undefined): number {
    const left = parts.reduce((sum, { length }) => sum + length, 0);
    this.#items.push({ kind: 'data', parts, index: 0, offset: 0, left, end, onSent });
    return left;
  }

  removeFirst(): void {
    this.#items.shift();
  }

  clear(): void {
    this.#items.length = 0;
  }
}

export type SendItem =
  | { readonly kind: 'headers'; readonly list: HeaderList; readonly end: boolean }
  | DataItem;

export interface DataItem {
  readonly kind: 'data';
  readonly parts: readonly Uint8Array[];
  /** The next byte: in this part, at this offset. */
  index: number;
  offset: number;
  /** Bytes from there. */
  left: number;
  readonly end: boolean;
  readonly onSent: (() => void) | undefined;
}

/** Moves the next `length` bytes of the item to `to`, as views. */
export function takeBytes(item: DataItem, length: number, to: Uint8Array[]): void {
  for (let rest = length; rest > 0; ) {
    const part = item.parts[item.index];
    if (part === undefined) return;
    const bytes = part.subarray(item.offset, item.offset + rest);
    if (bytes.length > 0) to.push(bytes);
    rest -= bytes.length;
    item.offset += bytes.length;
    if (item.offset === part.length) {
      item.index++;
      item.offset = 0;
    }
  }
  item.left -= length;
}
