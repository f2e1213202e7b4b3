import { onTestFinished } from 'vitest';

export interface ServerSentEvent {
  readonly event: string;
  readonly data: unknown;
  /** The last that was sent, by this event or before it. */
  readonly lastId: string | undefined;
}

/** Server-sent events as a browser reads them: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export class EventStream {
  readonly events: ServerSentEvent[] = [];
  readonly comments: string[] = [];
  readonly response: Response;
  /** Resolves when the server ends it. */
  readonly ended: Promise<void>;
  lastId: string | undefined;
  readonly #abort: AbortController;

  constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.ended = this.#read().catch(() => {});
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of this.response.body ?? []) {
      const blocks = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#readBlock(block);
    }
  }

  #readBlock(block: string): void {
    let event = 'message';
    let data: string | undefined;
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      const value = line.slice(colon + 1).replace(/^ /, '');
      const field = line.slice(0, colon);
      if (field === '') this.comments.push(value);
      else if (field === 'event') event = value;
      else if (field === 'data') data = value;
      else if (field === 'id') this.lastId = value;
    }
    if (data !== undefined) {
      this.events.push({ event, data: JSON.parse(data) as unknown, lastId: this.lastId });
    }
  }
}

export async function openEventStream(
  url: string,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  return new EventStream(await fetch(url, { headers, signal: abort.signal }), abort);
}
