import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { repeat } from '../../../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import { http2ServersOf } from './http2-servers.ts';
import { MessageProgress } from './message-progress.ts';

interface WatchedCall {
  readonly stream: ServerHttp2Stream;
  /** The address without its port. */
  readonly peer: string;
  readonly progress: MessageProgress;
  begunMs: number;
  ended: boolean;
}

const CHECK_EVERY_MS = 5_000;
const NGHTTP2_ENHANCE_YOUR_CALM = 0x0b;

/**
 * grpc-js keeps the received parts of a message in memory until the message is complete, on each call, without a time limit.
 * A peer that never completes its messages makes it hold 6 MiB for each call. This class counts those bytes over all calls:
 *
 *   - Above the limit, it ends a call of the peer with the most incomplete bytes: the call with the oldest message.
 *   - It ends a call whose message is not complete in time. While the aggregator does not read the call, no time passes.
 */
export class UnfinishedMessages {
  readonly #options: UnfinishedOptions;
  /** The calls with an incomplete message, the oldest first. */
  readonly #calls = new Set<WatchedCall>();
  #bytes = 0;
  readonly #cancelChecks: Cancel;

  constructor(options: UnfinishedOptions) {
    this.#options = options;
    this.#cancelChecks = repeat(options.clock, CHECK_EVERY_MS, () => this.#checkAll());
  }

  /** Called once, after the server is bound. */
  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      http2Server.on('session', (session: ServerHttp2Session) => {
        session.on('stream', (stream: ServerHttp2Stream) => this.#watchCall(session, stream));
      });
    }
  }

  stop(): void {
    this.#cancelChecks();
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
      this.#end(this.#victim(), 'too many bytes of incomplete messages');
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

  #checkAll(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const call of [...this.#calls]) this.#check(call, nowMs);
  }

  #check(call: WatchedCall, nowMs: number): void {
    if (call.stream.isPaused()) call.begunMs = nowMs;
    else if (nowMs - call.begunMs >= this.#options.withinMs)
      this.#end(call, 'a message was not complete in time');
  }
}

export interface UnfinishedOptions {
  readonly limitBytes: number;
  readonly withinMs: number;
  readonly clock: Clock;
  /** A call was ended because of a limit. */
  readonly onEnded: (peer: string, reason: string) => void;
  readonly onBytes: (bytes: number) => void;
}
