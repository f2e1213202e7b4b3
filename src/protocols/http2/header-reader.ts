import { FLAG, type FrameHeader } from './frame.ts';
import { HeaderBlock, headerFragment } from './header-block.ts';
import type { HeaderList } from './header-list.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { peerFault } from './peer-fault.ts';

/** Reads HEADERS and their CONTINUATION frames. The methods throw `Http2Error`. */
export class HeaderReader {
  readonly #maxBytes: number;
  readonly #decoder: HpackDecoder;
  readonly #onList: (streamId: number, list: HeaderList, end: boolean) => void;
  #block: HeaderBlock | undefined;

  constructor(maxBytes: number, onList: (streamId: number, list: HeaderList, end: boolean) => void) {
    this.#maxBytes = maxBytes;
    this.#decoder = new HpackDecoder(maxBytes);
    this.#onList = onList;
  }

  /** The stream whose block is not complete: only its CONTINUATION may follow. */
  get openStreamId(): number | undefined {
    return this.#block?.streamId;
  }

  headers(header: FrameHeader, payload: Buffer): void {
    const { streamId, flags } = header;
    if (streamId % 2 === 0) throw peerFault.sent(`HEADERS on the stream ${streamId}`);
    const block = new HeaderBlock(header, this.#maxBytes);
    const fragment = headerFragment(header, payload);
    if ((flags & FLAG.endHeaders) !== 0) {
      this.#onList(streamId, this.#decoder.decode(fragment), block.end);
      return;
    }
    block.add(fragment);
    this.#block = block;
  }

  continuation({ flags }: FrameHeader, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined) throw peerFault.sent('a CONTINUATION frame without HEADERS');
    block.add(payload);
    if ((flags & FLAG.endHeaders) === 0) return;
    this.#block = undefined;
    this.#onList(block.streamId, this.#decoder.decode(block.bytes), block.end);
  }
}
