import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type LogEntry, logEntry } from '../../../logstore/logs/log-requests.ts';
import { checkedAnswer, unexpectedAnswer } from './checked-answer.ts';
import type { Connection } from './connection.ts';
import { EventStreamDecoder, EventTooLargeError, type StreamEvent } from './event-stream-decoder.ts';
import { brokenOff } from './exchange.ts';

/**
 * Yields the events in the answer to a tail request. Listens from the moment of the call, before the first
 * iteration. Ends with an ApiError when the connection ends, or with the reason of `signal`.
 */
export function tailEvents(
  connection: Connection,
  answer: IncomingMessage,
  signal: AbortSignal,
): AsyncIterable<TailEvent> {
  const end = () => answer.destroy();
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  // The iterating caller gets the error; before the first iteration nothing handles it.
  answer.on('error', () => {});
  answer.once('close', () => signal.removeEventListener('abort', end));
  answer.setTimeout(SILENCE_MS, end);
  if (!answer.headers['content-type']?.startsWith('text/event-stream')) {
    end();
    throw unexpectedAnswer(connection, 'It is not an event stream.');
  }
  return iterate(connection, answer, signal);
}

/** `id`: the position after the event. */
export type TailEvent = { readonly id: string | undefined } & (
  | { readonly kind: 'log'; readonly entry: LogEntry }
  /** The number of records that came faster than they could be sent. */
  | { readonly kind: 'skipped'; readonly count: number }
  | { readonly kind: 'place' }
);

/** The aggregator sends heartbeats more often than this; without one the connection is lost. */
const SILENCE_MS = 60_000;

const skipped = z.object({ count: z.int() });

async function* iterate(
  connection: Connection,
  answer: IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<TailEvent> {
  const text = new TextDecoder();
  const decoder = new EventStreamDecoder();
  for await (const chunk of chunksOf(answer)) {
    for (const event of decode(connection, decoder, text.decode(chunk, { stream: true }))) {
      const known = tailEvent(connection, event);
      if (known !== undefined) yield known;
    }
  }
  if (signal.aborted) throw signal.reason;
  throw brokenOff(connection);
}

/** Called for every end. */
async function* chunksOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* answer as AsyncIterable<Buffer>;
  } catch {
    // A lost connection is the same as an end for the caller.
  }
}

function decode(connection: Connection, decoder: EventStreamDecoder, text: string): readonly StreamEvent[] {
  try {
    return decoder.push(text);
  } catch (error) {
    if (!(error instanceof EventTooLargeError)) throw error;
    throw unexpectedAnswer(connection, error.message);
  }
}

/** undefined: an unknown kind of a later version. */
function tailEvent(connection: Connection, { type, data, id }: StreamEvent): TailEvent | undefined {
  if (data === '') return { kind: 'place', id };
  if (type === 'log') return { kind: 'log', entry: checkedAnswer(connection, data, logEntry), id };
  if (type === 'skipped') return { kind: 'skipped', ...checkedAnswer(connection, data, skipped), id };
  return undefined;
}
