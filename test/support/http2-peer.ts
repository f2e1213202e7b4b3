import { encodeFrame, FLAG, FRAME, type FrameHeader, PREFACE } from '../../src/protocols/http2/frame.ts';
import { FrameReader } from '../../src/protocols/http2/frame-reader.ts';
import type { HeaderList } from '../../src/protocols/http2/header-list.ts';
import { HpackEncoder } from '../../src/protocols/http2/hpack-encoder.ts';
import { Http2Connection } from '../../src/protocols/http2/http2-connection.ts';
import type { ConnectionEnd, Http2ConnectionOptions } from '../../src/protocols/http2/http2-options.ts';
import type { Http2Stream } from '../../src/protocols/http2/http2-stream.ts';
import type { StreamEnd, StreamReceiver } from '../../src/protocols/http2/stream-receiver.ts';
import { FakeClock } from './fake-clock.ts';

export interface SentFrame extends FrameHeader {
  readonly payload: Buffer;
}

/** Records what it receives, and consumes data only if the test does it. */
export class RecordingReceiver implements StreamReceiver {
  readonly lists: HeaderList[] = [];
  readonly parts: Buffer[] = [];
  ended = false;
  end: StreamEnd | undefined;
  stream: Http2Stream | undefined;

  headers(list: HeaderList, end: boolean): void {
    this.lists.push(list);
    this.ended = end;
  }

  data(view: Buffer, end: boolean): void {
    this.parts.push(Buffer.from(view));
    this.ended = end;
  }

  closed(end: StreamEnd): void {
    if (this.end !== undefined) throw new Error('closed twice');
    this.end = end;
  }
}

/** A connection whose peer is the test: it writes frames by hand, and reads those of the connection. */
export class Http2Peer {
  readonly connection: Http2Connection;
  readonly clock = new FakeClock();
  readonly receivers: RecordingReceiver[] = [];
  readonly frames: SentFrame[] = [];
  readonly #encoder = new HpackEncoder();
  readonly #reader: FrameReader;
  #pendingWrites: (() => void)[] = [];
  #skipBytes: number;
  /** Writes of the connection stay unfinished. */
  isBlocked = false;
  output: 'open' | 'ended' | 'destroyed' = 'open';
  end: ConnectionEnd | undefined;
  goAway: string | undefined;
  isReady = false;
  onParts: (parts: readonly Uint8Array[]) => void = () => {};

  constructor(options: Partial<Http2ConnectionOptions> = {}) {
    const role = options.role ?? 'server';
    this.#skipBytes = role === 'client' ? PREFACE.length : 0;
    let data: { header: FrameHeader; parts: Buffer[] } | undefined;
    this.#reader = new FrameReader(
      {
        frame: (header, payload) => this.frames.push({ ...header, payload: Buffer.from(payload) }),
        unknownFrame() {},
        dataFrame: (header) => {
          data = { header, parts: [] };
        },
        data: (view, isLast) => {
          data?.parts.push(Buffer.from(view));
          if (isLast && data) this.frames.push({ ...data.header, payload: Buffer.concat(data.parts) });
        },
      },
      2 ** 24,
    );
    this.connection = new Http2Connection({
      role,
      clock: this.clock,
      streamWindowBytes: 65_535,
      connectionWindowBytes: 65_535,
      onStream: (stream) => {
        const receiver = new RecordingReceiver();
        receiver.stream = stream;
        this.receivers.push(receiver);
        return receiver;
      },
      onReady: () => {
        this.isReady = true;
      },
      onGoAway: (_, reason) => {
        this.goAway = reason;
      },
      onClosed: (end) => {
        if (this.end !== undefined) throw new Error('closed twice');
        this.end = end;
      },
      ...options,
      output: {
        write: (parts, onWritten) => this.#written(parts, onWritten),
        end: () => {
          this.output = 'ended';
        },
        destroy: () => {
          this.output = 'destroyed';
        },
      },
    });
  }

  /** The preface, empty settings, and the acknowledgement. */
  async begin(): Promise<this> {
    await this.send(PREFACE, frame(FRAME.settings, 0), frame(FRAME.settings, 0, Buffer.alloc(0), FLAG.ack));
    return this;
  }

  async send(...frames: readonly Buffer[]): Promise<void> {
    for (const bytes of frames) this.connection.receive(bytes);
    await settled();
  }

  headers(streamId: number, list: HeaderList = REQUEST, end = false): Buffer {
    const flags = FLAG.endHeaders | (end ? FLAG.endStream : 0);
    return frame(FRAME.headers, streamId, this.#encoder.encode(list), flags);
  }

  sentOf(type: number, streamId?: number): readonly SentFrame[] {
    return this.frames.filter((sent) => sent.type === type && (streamId ?? sent.streamId) === sent.streamId);
  }

  /** The code and reason of the GOAWAY that the connection has sent. */
  get sentGoAway(): { readonly code: number; readonly reason: string } | undefined {
    const payload = this.sentOf(FRAME.goAway)[0]?.payload;
    return payload && { code: payload.readUInt32BE(4), reason: payload.toString('latin1', 8) };
  }

  async unblock(): Promise<void> {
    this.isBlocked = false;
    const pending = this.#pendingWrites;
    this.#pendingWrites = [];
    for (const onWritten of pending) onWritten();
    await settled();
  }

  #written(parts: readonly Uint8Array[], onWritten: () => void): void {
    if (this.output !== 'open') throw new Error('a write after the end');
    this.onParts(parts);
    const bytes = Buffer.concat(parts);
    const skipped = Math.min(this.#skipBytes, bytes.length);
    this.#skipBytes -= skipped;
    this.#reader.read(bytes.subarray(skipped));
    if (this.isBlocked) this.#pendingWrites.push(onWritten);
    else queueMicrotask(onWritten);
  }
}

export const REQUEST: HeaderList = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
];

export function frame(
  type: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
  flags = 0,
): Buffer {
  return encodeFrame({ type, flags, streamId }, payload);
}

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** All microtasks have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
