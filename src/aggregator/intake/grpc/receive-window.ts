import type { Http2Connection } from '../../../protocols/http2/http2-connection.ts';

/**
 * An HTTP/2 peer may send as many bytes as the receiver's window, and then waits for an update. The default of 64 KiB
 * allows 3 MB/s with a round trip of 20 ms, and half the speed even on the loopback interface.
 *
 * A stalled call may fill its window, and the aggregator holds these bytes. The windows therefore share a budget: few
 * collectors get wide windows, many get narrower ones, and wide windows become narrower when more collectors connect.
 */
const BUDGET_BYTES = 96 * 1024 * 1024;
const WIDEST_BYTES = 8 * 1024 * 1024;
const NARROWEST_BYTES = 128 * 1024;

/** The window of one stream when `connections` share the budget. A power of two, so that it changes seldom. */
export function windowFor(connections: number): number {
  // A connection's window is twice that of its stream: two of the three parts of its share.
  const share = BUDGET_BYTES / 3 / Math.max(1, connections);
  const rounded = 2 ** Math.floor(Math.log2(share));
  return Math.min(WIDEST_BYTES, Math.max(NARROWEST_BYTES, rounded));
}

/** Gives all connections the windows for their number. */
export class SharedWindows {
  readonly #connections = new Set<Pick<Http2Connection, 'setWindows'>>();

  /** The windows of one more connection. */
  get next(): { readonly streamWindowBytes: number; readonly connectionWindowBytes: number } {
    const streamWindowBytes = windowFor(this.#connections.size + 1);
    return { streamWindowBytes, connectionWindowBytes: streamWindowBytes * 2 };
  }

  add(connection: Pick<Http2Connection, 'setWindows'>): void {
    const before = windowFor(this.#connections.size);
    this.#connections.add(connection);
    this.#share(before);
  }

  delete(connection: Pick<Http2Connection, 'setWindows'>): void {
    const before = windowFor(this.#connections.size);
    this.#connections.delete(connection);
    this.#share(before);
  }

  #share(before: number): void {
    const window = windowFor(this.#connections.size);
    if (window === before) return;
    for (const connection of [...this.#connections]) connection.setWindows(window, window * 2);
  }
}
