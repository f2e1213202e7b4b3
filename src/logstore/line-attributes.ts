import type { AccessLogFields } from '../formats/access-log-fields.ts';

/**
 * Writes the attributes of simple access log lines as JSON, directly from the bytes of a line. Nothing needs
 * an escape: such a line has only printable ASCII, and no quote or backslash in its fields.
 */
export class LineAttributes {
  readonly #opening: Uint8Array;
  readonly #isOpeningEmpty: boolean;

  /** `shared`: the attributes that all lines have in addition, as JSON; null: none. */
  constructor(shared: string | null) {
    this.#isOpeningEmpty = shared === null;
    this.#opening = Buffer.from(shared === null ? '{' : shared.slice(0, -1));
  }

  /** The maximum number of bytes that `write` needs. */
  roomBytes({ queryStart, end }: AccessLogFields): number {
    return this.#opening.length + NAMES_BYTES + (end - Math.max(0, queryStart)) + 1;
  }

  /** Returns the offset after the JSON text; `at` if there are no attributes. */
  write(target: Uint8Array, at: number, bytes: Uint8Array, fields: AccessLogFields): number {
    const { queryStart, queryEnd, refererStart, refererEnd, agentStart, agentEnd } = fields;
    let end = copyBytes(target, at, this.#opening, 0, this.#opening.length);
    const first = this.#isOpeningEmpty ? end : -1;
    if (queryStart >= 0) end = writeText(target, end, QUERY, bytes, queryStart, queryEnd, first);
    if (refererEnd > refererStart)
      end = writeText(target, end, REFERER, bytes, refererStart, refererEnd, first);
    if (agentEnd > agentStart) end = writeText(target, end, AGENT, bytes, agentStart, agentEnd, first);
    if (end === first) return at;
    target[end] = CLOSING_BRACE;
    return end + 1;
  }
}

/** The attributes that this module writes. */
export const LINE_ATTRIBUTES = ['url.query', 'http.request.header.referer', 'user_agent.original'] as const;

/** A short text is copied faster byte by byte than by a call. */
const SHORT_BYTES = 40;

/** Copies `[start, end)`; returns the offset after the copy. */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length <= SHORT_BYTES)
    for (let index = 0; index < length; index++) target[at + index] = source[start + index] as number;
  else target.set(source.subarray(start, end), at);
  return at + length;
}

const QUOTE = 0x22;
const CLOSING_BRACE = 0x7d;
const [QUERY, REFERER, AGENT] = LINE_ATTRIBUTES.map((name) => Buffer.from(`,"${name}":"`)) as [
  Buffer,
  Buffer,
  Buffer,
];
const NAMES_BYTES = QUERY.length + REFERER.length + AGENT.length + LINE_ATTRIBUTES.length;

/** `first`: the offset at which a name needs no comma before it. */
function writeText(
  target: Uint8Array,
  at: number,
  name: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  first: number,
): number {
  const named = copyBytes(target, at, name, at === first ? 1 : 0, name.length);
  const written = copyBytes(target, named, bytes, start, end);
  target[written] = QUOTE;
  return written + 1;
}
