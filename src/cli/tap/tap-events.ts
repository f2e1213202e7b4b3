import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type TappedRecord, tappedRecord } from '../../tap/tapped-record.ts';
import { EventStreamDecoder, type StreamEvent } from '../monitor/api/event-stream-decoder.ts';

export type TapEvent =
  | { readonly kind: 'record'; readonly record: TappedRecord }
  /** The number of records until now that were not shown. */
  | { readonly kind: 'skipped'; readonly notShown: number }
  /** `limit`, `stopped` or `failed: reason`. */
  | { readonly kind: 'end'; readonly reason: string; readonly notShown: number };

const skipped = z.object({ count: z.number() });
const end = z.object({ reason: z.string(), notShown: z.number() });

/** Yields the events of a tap. Ends without an `end` if the connection is lost. */
export async function* tapEvents(answer: IncomingMessage): AsyncGenerator<TapEvent> {
  const text = new TextDecoder();
  const decoder = new EventStreamDecoder();
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      for (const event of decoder.push(text.decode(chunk, { stream: true }))) {
        const known = tapEvent(event);
        if (known !== undefined) yield known;
      }
    }
  } catch (error) {
    // A lost connection is an end. Other errors have no code.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

/** undefined: of a later version. */
function tapEvent({ type, data }: StreamEvent): TapEvent | undefined {
  if (data === '') return undefined;
  const value: unknown = JSON.parse(data);
  if (type === 'record') return { kind: 'record', record: tappedRecord.parse(value) };
  if (type === 'skipped') return { kind: 'skipped', notShown: skipped.parse(value).count };
  return type === 'end' ? { kind: 'end', ...end.parse(value) } : undefined;
}
