import { createHash } from 'node:crypto';

/**
 * Recognizes messages that a RELP client sends again. After a broken connection a client sends all messages
 * without an answer again, first and in their order: the first messages of the new session are the last ones
 * of an earlier session. A client cannot know which of them were stored.
 *
 * Messages are compared by a hash. Equal messages in a row are legal, so a recognized message is marked and not
 * dropped.
 */
export class ResendWindow {
  /** The sessions of each peer, the latest last; the peer whose session began last is last. */
  readonly #sessions = new Map<string, Hashes[]>();

  /** A session begins. */
  track(peer: string): ResendTrack {
    const earlier = this.#sessions.get(peer) ?? [];
    const own: Hashes = [];
    this.#sessions.delete(peer);
    this.#sessions.set(peer, [...earlier.slice(1 - MAX_SESSIONS), own]);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_PEERS && oldest !== undefined) this.#sessions.delete(oldest);
    return new ResendTrack(own, earlier, () => this.#forget(peer, own));
  }

  /** A session that ended without messages has nothing that could be sent again. */
  #forget(peer: string, own: Hashes): void {
    const sessions = this.#sessions.get(peer);
    if (own.length > 0 || sessions === undefined) return;
    const others = sessions.filter((each) => each !== own);
    if (others.length === 0) this.#sessions.delete(peer);
    else this.#sessions.set(peer, others);
  }
}

/** The messages of one session. */
export class ResendTrack {
  readonly #own: Hashes;
  /** The places in earlier sessions where the messages of this session may continue. */
  #places: Place[] | undefined;
  readonly #earlier: readonly Hashes[];
  readonly #forget: () => void;

  constructor(own: Hashes, earlier: readonly Hashes[], forget: () => void) {
    this.#own = own;
    this.#earlier = earlier;
    this.#forget = forget;
  }

  /** Whether the next message of the session repeats one of an earlier session. */
  isRepeated(message: Uint8Array): boolean {
    const hash = hashOf(message);
    this.#remember(hash);
    if (this.#places?.length === 0) return false;
    this.#places = this.#places === undefined ? placesOf(hash, this.#earlier) : continued(hash, this.#places);
    return this.#places.length > 0;
  }

  end(): void {
    this.#forget();
  }

  #remember(hash: number): void {
    this.#own.push(hash);
    if (this.#own.length >= 2 * MAX_MESSAGES) this.#own.splice(0, MAX_MESSAGES);
  }
}

/** The hashes of the last messages of a session, in order. */
type Hashes = number[];

interface Place {
  readonly hashes: Hashes;
  readonly next: number;
}

/** As many as a session can have unanswered. */
const MAX_MESSAGES = 1024;
const MAX_SESSIONS = 8;
const MAX_PEERS = 4096;

function placesOf(hash: number, earlier: readonly Hashes[]): Place[] {
  return earlier.flatMap((hashes) =>
    hashes.flatMap((each, index) => (each === hash ? [{ hashes, next: index + 1 }] : [])),
  );
}

function continued(hash: number, places: readonly Place[]): Place[] {
  return places
    .filter(({ hashes, next }) => hashes[next] === hash)
    .map(({ hashes, next }) => ({ hashes, next: next + 1 }));
}

/** 48 bits: two different messages of a window are equal with a chance of one in 10^8. */
function hashOf(message: Uint8Array): number {
  return createHash('md5').update(message).digest().readUIntBE(0, 6);
}
