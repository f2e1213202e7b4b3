import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type LogEntry, logEntry } from '../../../logstore/logs/log-requests.ts';
import { checkedAnswer, unexpectedAnswer } from './checked-answer.ts';
import type { Connection } from './connection.ts';
import { EventStreamDecoder, EventTooLargeError, type StreamEvent } from './event-stream.ts';
import { brokenOff } from './exchange.ts';

/** `id`: where to go on after it. */
export type TailEvent = { readonly id: string | undefined } & (
  | { readonly kind: 'log'; readonly entry: LogEntry }
  /** So many records came faster than they could be sent. */
  | { readonly kind: 'skipped'; readonly count: number }
  | { readonly kind: 'place' }
);

/** The aggregator sends a heartbeat more often than this, or is gone. */
const SILENCE_MS = 60_000;

const skipped = z.object({ count: z.int() });

/**
 * Of the answer to a tail request. Listens from the moment of the call, whenever it is first asked. Ends by an ApiError
 * when the connection does, or by the reason of `signal`.
 */
export function tailEvents(
  connection: Connection,
  answer: IncomingMessage,
  signal: AbortSignal,
): AsyncIterable<TailEvent> {
  const end = () => answer.destroy();
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  // Whoever iterates is told; before that, nobody listens.
  answer.on('error', () => {});
  answer.once('close', () => signal.removeEventListener('abort', end));
  answer.setTimeout(SILENCE_MS, end);
  if (!answer.headers['content-type']?.startsWith('text/event-stream')) {
    end();
    throw unexpectedAnswer(connection, 'It is no stream of events.');
  }
  return iterate(connection, answer, signal);
}

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

/** However it ends. */
async function* chunksOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* answer as AsyncIterable<Buffer>;
  } catch {
    // The connection is gone: for whoever follows, the same as an end.
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

/** undefined: of a kind that a later version may have. */
function tailEvent(connection: Connection, { type, data, id }: StreamEvent): TailEvent | undefined {
  if (data === '') return { kind: 'place', id };
  if (type === 'log') return { kind: 'log', entry: checkedAnswer(connection, data, logEntry), id };
  if (type === 'skipped') return { kind: 'skipped', ...checkedAnswer(connection, data, skipped), id };
  return undefined;
}
