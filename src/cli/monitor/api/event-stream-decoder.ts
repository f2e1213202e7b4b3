/**
 * Decodes server-sent events (WHATWG HTML, 9.2.6) from pieces of text. A piece may end anywhere, also between
 * the CR and the LF of one line end. Unlike a browser it returns events without data, because their `id` is
 * the new position. Comments (heartbeats) are dropped.
 */
export class EventStreamDecoder {
  #line = '';
  #afterCarriageReturn = false;
  #isFirst = true;
  #type = '';
  #data: string[] = [];
  #dataLength = 0;
  #id: string | undefined;
  #hasFields = false;

  /** Throws EventTooLargeError. */
  push(text: string): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    let rest = this.#isFirst ? text.replace(/^\ufeff/, '') : text;
    if (text !== '') this.#isFirst = false;
    if (this.#afterCarriageReturn && rest !== '') {
      this.#afterCarriageReturn = false;
      if (rest.startsWith('\n')) rest = rest.slice(1);
    }
    for (let end = rest.search(/[\r\n]/); end >= 0; end = rest.search(/[\r\n]/)) {
      this.#take(this.#line + rest.slice(0, end), events);
      this.#line = '';
      const isCarriageReturn = rest[end] === '\r';
      this.#afterCarriageReturn = isCarriageReturn && end === rest.length - 1;
      rest = rest.slice(end + (isCarriageReturn && rest[end + 1] === '\n' ? 2 : 1));
    }
    this.#line += rest;
    if (this.#line.length + this.#dataLength > MAX_EVENT_BYTES) {
      throw new EventTooLargeError(`an event is larger than ${MAX_EVENT_BYTES} bytes`);
    }
    return events;
  }

  #take(line: string, events: StreamEvent[]): void {
    if (line === '') {
      if (this.#hasFields) events.push(this.#event());
      return;
    }
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'data') {
      this.#data.push(value);
      this.#dataLength += value.length;
    } else return;
    this.#hasFields = true;
  }

  #event(): StreamEvent {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    this.#type = '';
    this.#data = [];
    this.#dataLength = 0;
    this.#hasFields = false;
    return event;
  }
}

export interface StreamEvent {
  readonly type: string;
  /** Empty: the event only contains the position of the stream. */
  readonly data: string;
  /** The position after this event; if it has none, the last one that was received. */
  readonly id: string | undefined;
}

/**
 * Larger than any record: a body of 1 MiB may become six times as large in JSON, and its attributes repeat
 * it.
 */
const MAX_EVENT_BYTES = 32 * 1024 * 1024;

export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}
