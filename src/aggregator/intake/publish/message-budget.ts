/** A message that needs memory. */
export interface MessageRequest {
  readonly bytes: number;
  /** The address of the peer without its port. */
  readonly host: string;
  state: 'new' | 'waiting' | 'granted';
  /** Called when the memory is granted to a request that waits. */
  readonly granted: () => void;
}

/**
 * One limit for the bytes of messages over all calls, from the beginning of a message until it is processed. Requests are
 * granted in order. One host gets at most half, so that a peer which never completes its messages leaves room to others. A
 * message that is larger than a limit is granted alone.
 */
export class MessageBudget {
  readonly #limitBytes: number;
  readonly #waiting = new Set<MessageRequest>();
  readonly #bytesOfHost = new Map<string, number>();
  #bytes = 0;
  #newlyGranted: MessageRequest[] = [];
  #isReporting = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True: the memory is granted. False: the request waits, and `granted` is called later. */
  take(request: MessageRequest): boolean {
    request.state = 'waiting';
    this.#waiting.add(request);
    this.#serve(request);
    this.#report();
    return !this.#waiting.has(request);
  }

  /** Gives the memory back, or leaves the queue. */
  end(request: MessageRequest): void {
    const wasGranted = request.state === 'granted';
    request.state = 'new';
    this.#waiting.delete(request);
    if (!wasGranted) return;
    this.#count(request, -1);
    this.#serve();
    this.#report();
  }

  #serve(asking?: MessageRequest): void {
    for (const request of this.#waiting) {
      if (this.#bytes + request.bytes > this.#limitBytes && this.#bytes > 0) return;
      const hostBytes = this.#bytesOfHost.get(request.host) ?? 0;
      if (hostBytes + request.bytes > this.#limitBytes / 2 && hostBytes > 0) continue;
      this.#waiting.delete(request);
      request.state = 'granted';
      this.#count(request, 1);
      if (request !== asking) this.#newlyGranted.push(request);
    }
  }

  /** A call that is read may give its memory back at once: the next reports are made here, not one inside of the other. */
  #report(): void {
    if (this.#isReporting) return;
    this.#isReporting = true;
    while (this.#newlyGranted.length > 0) {
      const granted = this.#newlyGranted;
      this.#newlyGranted = [];
      for (const request of granted) if (request.state === 'granted') request.granted();
    }
    this.#isReporting = false;
  }

  #count({ host, bytes }: MessageRequest, sign: 1 | -1): void {
    this.#bytes += sign * bytes;
    const hostBytes = (this.#bytesOfHost.get(host) ?? 0) + sign * bytes;
    if (hostBytes > 0) this.#bytesOfHost.set(host, hostBytes);
    else this.#bytesOfHost.delete(host);
  }
}
