import { gunzipSync, inflateSync } from 'node:zlib';

/**
 * A GELF receiver written from the specification and from what Graylog does, sharing nothing with the encoder.
 * Strict where Graylog is silent: what it would drop without a word is an error here.
 */

interface Partial {
  readonly count: number;
  readonly parts: Map<number, Buffer>;
}

export type Json = Record<string, unknown>;

const DECOMPRESSED_LIMIT = 8_388_608;

/** Takes datagrams in any order and gives back whole messages. */
export class GelfDatagramDecoder {
  readonly #partials = new Map<string, Partial>();

  /** Ids of which chunks are missing. */
  get incomplete(): number {
    return this.#partials.size;
  }

  /** The message that this datagram completes, if it does. */
  receive(datagram: Uint8Array): Json | undefined {
    const bytes = Buffer.from(datagram);
    if (bytes.length < 2) throw new Error('datagram of less than 2 bytes');
    if (bytes.readUInt16BE(0) === 0x1e0f) return this.#chunk(bytes);
    return parseMessage(decompress(bytes));
  }

  #chunk(bytes: Buffer): Json | undefined {
    if (bytes.length < 12) throw new Error('chunk of less than 12 bytes');
    const id = bytes.toString('hex', 2, 10);
    const sequence = bytes.readUInt8(10);
    const count = bytes.readUInt8(11);
    if (count < 1 || count > 128) throw new Error(`count ${count}`);
    if (sequence >= count) throw new Error(`sequence ${sequence} of ${count}`);
    const partial = this.#partials.get(id) ?? { count, parts: new Map<number, Buffer>() };
    if (partial.count !== count) throw new Error('counts of one id differ');
    if (partial.parts.has(sequence)) throw new Error(`chunk ${sequence} twice`);
    this.#partials.set(id, partial);
    partial.parts.set(sequence, bytes.subarray(12));
    if (partial.parts.size < count) return undefined;
    this.#partials.delete(id);
    const ordered = Array.from({ length: count }, (_, index) => partial.parts.get(index) as Buffer);
    return parseMessage(decompress(Buffer.concat(ordered)));
  }
}

/** The messages of a stream, and what follows the last delimiter. */
export function decodeStream(bytes: Uint8Array, delimiter: number): { messages: Json[]; tail: Buffer } {
  const messages: Json[] = [];
  let rest = Buffer.from(bytes);
  for (let end = rest.indexOf(delimiter); end >= 0; end = rest.indexOf(delimiter)) {
    messages.push(parseMessage(rest.subarray(0, end)));
    rest = rest.subarray(end + 1);
  }
  return { messages, tail: rest };
}

function decompress(payload: Buffer): Buffer {
  const [first = 0, second = 0] = payload;
  const limit = { maxOutputLength: DECOMPRESSED_LIMIT };
  if (first === 0x1f && second === 0x8b) return gunzipSync(payload, limit);
  if (first === 0x78 && ((first << 8) | second) % 31 === 0) return inflateSync(payload, limit);
  if (first === 0x1f || first === 0x78 || first === 0x1e) throw new Error('unsupported beginning');
  return payload;
}

/** The JSON object, judged by GELF 1.1. */
export function parseMessage(bytes: Uint8Array): Json {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const message = JSON.parse(text) as Json;
  if (message.version !== '1.1') throw new Error(`version ${String(message.version)}`);
  for (const name of ['host', 'short_message']) {
    const value = message[name];
    if (typeof value !== 'string' || value.trim() === '') throw new Error(`${name}: ${String(value)}`);
  }
  if ('full_message' in message && typeof message.full_message !== 'string') throw new Error('full_message');
  if (typeof message.timestamp !== 'number' || message.timestamp <= 0) throw new Error('timestamp');
  const level = message.level;
  if (typeof level !== 'number' || !Number.isInteger(level) || level < 0 || level > 7)
    throw new Error('level');
  for (const name of Object.keys(message)) judgeName(name);
  return message;
}

const MAIN_FIELDS = ['version', 'host', 'short_message', 'full_message', 'timestamp', 'level'];

function judgeName(name: string): void {
  if (MAIN_FIELDS.includes(name)) return;
  if (!/^_[\w.-]+$/.test(name) || name === '_id') throw new Error(`name ${name}`);
}

/**
 * The additional fields in Graylog's index: it strips one underscore, skips fields that are set already,
 * rejects reserved names, drops booleans and nulls, and replaces dots by underscores.
 */
export function indexedByGraylog(message: Json): Map<string, string | number> {
  const indexed = new Map<string, string | number>();
  const set = new Set([
    'message',
    'source',
    'timestamp',
    'full_message',
    'level',
    'short_message',
    'host',
    'streams',
  ]);
  const refused = ['_id', '_ttl', '_source', '_all', '_index', '_type', '_score'];
  for (const [name, value] of Object.entries(message)) {
    if (MAIN_FIELDS.includes(name)) continue;
    const key = name.replace(/^_/, '').replaceAll('.', '_');
    if (key.startsWith('gl2_') || set.has(key) || refused.includes(key)) continue;
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    set.add(key);
    indexed.set(key, value);
  }
  return indexed;
}
