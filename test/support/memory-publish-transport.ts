import type {
  CallFailure,
  PublishAnswer,
  PublishReceiver,
  PublishTransport,
} from '../../src/aggregator/intake/publish/publish-transport.ts';
import { decodeRequest } from '../../src/records/publish-codec.ts';

export interface CallEnd {
  /** undefined: the call ended without an error. */
  readonly failure: CallFailure | undefined;
  readonly reason: string;
}

/** A Publish call without a network: a test sends encoded requests and reads the answers. */
export class MemoryPublishTransport implements PublishTransport {
  readonly peer: string;
  readonly host: string;
  readonly tlsSubject: string | undefined;
  readonly answers: PublishAnswer[] = [];
  /** Called with each answer. */
  onAnswer: (answer: PublishAnswer) => void = () => {};
  readonly ended: Promise<CallEnd>;
  /** Set by a test: the peer does not read its answers. */
  isReading = true;
  #receiver: PublishReceiver | undefined;
  #requests: Buffer[] = [];
  #isPaused = false;
  #resolveEnd: (end: CallEnd) => void = () => {};

  constructor({
    peer = '192.0.2.1:5000',
    tlsSubject,
  }: { peer?: string; tlsSubject?: string | undefined } = {}) {
    this.peer = peer;
    this.host = peer.replace(/:\d+$/, '');
    this.tlsSubject = tlsSubject;
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  /** Requests that the receiver has not read. */
  get unread(): number {
    return this.#requests.length;
  }

  deliverTo(receiver: PublishReceiver): void {
    this.#receiver = receiver;
    this.#deliver();
  }

  /** What the peer sends. Delivered at once, unless the receiver has paused the transport. */
  request(...encoded: readonly Buffer[]): void {
    this.#requests.push(...encoded);
    this.#deliver();
  }

  /** The peer has read its answers. */
  drain(): void {
    this.isReading = true;
    this.#receiver?.drained();
  }

  peerEnds(): void {
    this.#receiver?.peerEnded();
  }

  disconnect(reason = 'connection reset'): void {
    this.#receiver?.closed(reason);
    this.#resolveEnd({ failure: undefined, reason });
  }

  send(answer: PublishAnswer): boolean {
    this.answers.push(answer);
    this.onAnswer(answer);
    return this.isReading;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    queueMicrotask(() => this.#deliver());
  }

  end(): void {
    this.#resolveEnd({ failure: undefined, reason: 'ended' });
  }

  fail(failure: CallFailure, reason: string): void {
    this.#resolveEnd({ failure, reason });
  }

  #deliver(): void {
    while (!this.#isPaused && this.#receiver !== undefined) {
      const encoded = this.#requests[0];
      if (encoded === undefined) return;
      if (!this.#receiver.mayReceive(encoded.length)) {
        this.#isPaused = true;
        return;
      }
      this.#requests.shift();
      this.#receiver.receive(decodeRequest(encoded));
    }
  }
}
