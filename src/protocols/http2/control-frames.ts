import { encodeFrame, encodeNumberFrame, FRAME, type FrameHeader } from './frame.ts';
import type { FrameSender } from './frame-sender.ts';

/** Sends the frames that carry no headers and no data. */
export class ControlFrames {
  readonly #sender: FrameSender;
  readonly #onUnread: () => void;

  /** `onUnread`: the peer does not read its answers, and must not get more of them. */
  constructor(sender: FrameSender, onUnread: () => void) {
    this.#sender = sender;
    this.#onUnread = onUnread;
  }

  send(header: FrameHeader, payload: Buffer = NOTHING): void {
    this.#send(encodeFrame(header, payload));
  }

  reset(streamId: number, code: number): void {
    this.#send(encodeNumberFrame(FRAME.rstStream, streamId, code));
  }

  /** `streamId` 0: the window of the connection. An increment of 0 is not sent. */
  windowUpdate(streamId: number, increment: number): void {
    if (increment > 0) this.#sender.control(encodeNumberFrame(FRAME.windowUpdate, streamId, increment));
  }

  /** `lastId`: the newest stream of the peer that was accepted. */
  goAway(lastId: number, code: number, reason: string): void {
    const payload = Buffer.alloc(8 + reason.length);
    payload.writeUInt32BE(lastId, 0);
    payload.writeUInt32BE(code, 4);
    payload.write(reason, 8, 'latin1');
    this.#sender.control(encodeFrame({ type: FRAME.goAway, flags: 0, streamId: 0 }, payload));
  }

  #send(frame: Buffer): void {
    this.#sender.control(frame);
    if (this.#sender.unwrittenControlBytes > MAX_UNREAD_BYTES) this.#onUnread();
  }
}

const MAX_UNREAD_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
