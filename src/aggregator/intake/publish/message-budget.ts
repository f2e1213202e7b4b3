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
 * One limit for the bytes of messages over all calls, from the beginning of a message until it is processed. The requests of
 * a host are granted in order, and hosts one after another. One host gets at most half, so that a peer which never completes
 * its messages leaves room to others. A message that is larger than a limit is granted alone.
 */
export class MessageBudget {
  readonly #limitBytes: number;
  /** By host; the host that is next, and its oldest request, first. */
  readonly #waiting = new Map<string, Set<MessageRequest>>();
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
    const earlier = this.#waiting.get(request.host);
    if (earlier !== undefined) {
      earlier.add(request);
      return false;
    }
    this.#waiting.set(request.host, new Set([request]));
    this.#serve(request);
    this.#report();
    return this.#waiting.get(request.host)?.has(request) !== true;
  }

  /** Gives the memory back, or leaves the queue. */
  end(request: MessageRequest): void {
    const wasGranted = request.state === 'granted';
    request.state = 'new';
    if (wasGranted) this.#count(request, -1);
    else this.#leave(request);
    this.#serve();
    this.#report();
  }

  #serve(asking?: MessageRequest): void {
    for (const [host, [request]] of this.#waiting) {
      if (request === undefined) continue;
      if (this.#bytes + request.bytes > this.#limitBytes && this.#bytes > 0) return;
      const hostBytes = this.#bytesOfHost.get(host) ?? 0;
      if (hostBytes + request.bytes > this.#limitBytes / 2 && hostBytes > 0) continue;
      this.#leave(request);
      this.#moveToEnd(host);
      request.state = 'granted';
      this.#count(request, 1);
      if (request !== asking) this.#newlyGranted.push(request);
    }
  }

  #leave(request: MessageRequest): void {
    const ofHost = this.#waiting.get(request.host);
    ofHost?.delete(request);
    if (ofHost?.size === 0) this.#waiting.delete(request.host);
  }

  #moveToEnd(host: string): void {
    const requests = this.#waiting.get(host);
    if (requests === undefined) return;
    this.#waiting.delete(host);
    this.#waiting.set(host, requests);
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
