import { parseStreamId, type StreamId } from '../../records/stream-id.ts';
import type { DeadLetterId } from './queue-contract.ts';

export type DeadLetterKey = readonly [emitter: string, stream: StreamId, position: number];

/** Rows per transaction of a bulk command. */
const ROWS_PER_WRITE = 1000;

export function keysOf(ids: readonly DeadLetterId[]): DeadLetterKey[] {
  return ids.map(parseId).filter((key) => key !== undefined);
}

/** `<emitter>/<stream>/<position>`; only the emitter may contain a slash. */
export function parseId(id: DeadLetterId): DeadLetterKey | undefined {
  const [, emitter, streamText, position] = /^(.*)\/([0-9a-f]{32})\/(\d{1,16})$/s.exec(id) ?? [];
  const stream = parseStreamId(streamText ?? '');
  return emitter === undefined || stream === undefined ? undefined : [emitter, stream, Number(position)];
}

export function keyOf(key: unknown): DeadLetterKey {
  return key as DeadLetterKey;
}

export function* inChunks(ids: readonly DeadLetterId[]): Iterable<DeadLetterKey[]> {
  const keys = keysOf([...new Set(ids)]);
  for (let i = 0; i < keys.length; i += ROWS_PER_WRITE) yield keys.slice(i, i + ROWS_PER_WRITE);
}
