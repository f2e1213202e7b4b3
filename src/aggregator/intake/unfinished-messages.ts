import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { http2ServersOf } from './http2-servers.ts';
import { MessageProgress } from './message-progress.ts';

/**
 * grpc-js keeps the parts of a message in memory until its last byte has come, on each call and without an end. A peer that
 * stops before the end of every message makes it hold 6 MiB for each call. This file counts those bytes over all calls:
 *
 *   - beyond the limit, of the peer that makes us hold most the call with the oldest unfinished message ends;
 *   - a message that is not complete in time ends its call, too. Time does not pass while the call is not read: then the
 *     rest of the message waits for us.
 */
export interface UnfinishedOptions {
  readonly limitBytes: number;
  readonly withinMs: number;
  readonly clock: Clock;
  /** A call was ended. */
  readonly onEnded: (peer: string, reason: string) => void;
  readonly onBytes: (bytes: number) => void;
}

interface WatchedCall {
  readonly stream: ServerHttp2Stream;
  /** The address without its port. */
  readonly peer: string;
  readonly progress: MessageProgress;
  begunMs: number;
  ended: boolean;
}

const LOOK_EVERY_MS = 5_000;
const NGHTTP2_ENHANCE_YOUR_CALM = 0x0b;

export class UnfinishedMessages {
  readonly #options: UnfinishedOptions;
  /** Those with an unfinished message, the oldest first. */
  readonly #calls = new Set<WatchedCall>();
  #bytes = 0;
  #cancelLook: Cancel = () => {};

  constructor(options: UnfinishedOptions) {
    this.#options = options;
    this.#lookLater();
  }

  /** To be called once after the server has been bound. */
  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      http2Server.on('session', (session: ServerHttp2Session) => {
        session.on('stream', (stream: ServerHttp2Stream) => this.#watchCall(session, stream));
      });
    }
  }

  stop(): void {
    this.#cancelLook();
  }

  #watchCall(session: ServerHttp2Session, stream: ServerHttp2Stream): void {
    const peer = session.socket?.remoteAddress ?? 'local';
    const call = { stream, peer, progress: new MessageProgress(), begunMs: 0, ended: false };
    stream.on('data', (chunk: Buffer) => this.#received(call, chunk));
    stream.once('close', () => this.#forget(call));
  }

  #received(call: WatchedCall, chunk: Buffer): void {
    if (call.ended) return;
    const { progress } = call;
    const before = progress.unfinishedBytes;
    const completed = progress.received(chunk);
    if (completed) this.#calls.delete(call);
    if (progress.unfinishedBytes > 0 && !this.#calls.has(call)) {
      call.begunMs = this.#options.clock.monotonicMs();
      this.#calls.add(call);
    }
    this.#count(progress.unfinishedBytes - before);
    while (this.#bytes > this.#options.limitBytes && this.#calls.size > 0) {
      this.#end(this.#victim(), 'too many bytes of unfinished messages');
    }
  }

  #victim(): WatchedCall | undefined {
    const byPeer = new Map<string, number>();
    for (const { peer, progress } of this.#calls)
      byPeer.set(peer, (byPeer.get(peer) ?? 0) + progress.unfinishedBytes);
    const [worst] = [...byPeer].reduce((a, b) => (b[1] > a[1] ? b : a), ['', -1]);
    return [...this.#calls].find(({ peer }) => peer === worst);
  }

  #end(call: WatchedCall | undefined, reason: string): void {
    if (call === undefined) return;
    this.#forget(call);
    this.#options.onEnded(call.peer, reason);
    call.stream.close(NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #forget(call: WatchedCall): void {
    if (call.ended) return;
    call.ended = true;
    this.#calls.delete(call);
    this.#count(-call.progress.unfinishedBytes);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (bytes !== 0) this.#options.onBytes(this.#bytes);
  }

  #lookLater(): void {
    this.#cancelLook = this.#options.clock.after(LOOK_EVERY_MS, () => {
      const nowMs = this.#options.clock.monotonicMs();
      for (const call of [...this.#calls]) this.#look(call, nowMs);
      this.#lookLater();
    });
  }

  #look(call: WatchedCall, nowMs: number): void {
    if (call.stream.isPaused()) call.begunMs = nowMs;
    else if (nowMs - call.begunMs >= this.#options.withinMs)
      this.#end(call, 'a message was not complete in time');
  }
}
