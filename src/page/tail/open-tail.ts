import { openStream, type Query } from '../api/client.ts';

/** Opens the stream of new records and returns its text piece by piece. Rejects with Problem. */
export async function openTail(
  query: Query,
  lastId: string | undefined,
  signal: AbortSignal,
): Promise<AsyncIterable<string>> {
  const headers: Readonly<Record<string, string>> = lastId === undefined ? {} : { 'last-event-id': lastId };
  const body = await openStream('logs/tail', { query, headers, signal });
  return textOf(body);
}

/** Not every browser can iterate over a stream. */
async function* textOf(body: ReadableStream<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}
