export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Parses server-sent events from pieces of text. `lastId` is the place to continue at. */
export class EventStreamParser {
  #rest = '';
  #name = '';
  #data: string[] = [];
  #id: string | undefined;
  #retryMs: number | undefined;

  /** An event without an id keeps the previous one; an id counts when its event is complete. */
  lastId: string | undefined;

  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  push(piece: string): readonly StreamEvent[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): readonly StreamEvent[] {
    if (line === '') return this.#end();
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.#retryMs = Number(value);
    return [];
  }

  #end(): readonly StreamEvent[] {
    if (this.#id !== undefined) this.lastId = this.#id;
    const event = { name: this.#name || 'message', data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#name = '';
    this.#data = [];
    return isEmpty ? [] : [event];
  }
}
