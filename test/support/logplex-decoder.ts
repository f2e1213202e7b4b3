/** A message as a strict server reads it. */
export interface DecodedMessage {
  readonly priority: number;
  readonly time: string;
  readonly host: string;
  readonly token: string;
  readonly processId: string;
  readonly text: string;
}

const MAX_LENGTH = 10_240;
const HEADER = /^<(0|[1-9]\d{0,2})>1 (\S+) ([\x21-\x7e]+) ([\x21-\x7e]+) ([\x21-\x7e]+) - - /;

/** Reads a body as logplex's own parser does, except that it forgives nothing. Throws with what is wrong. */
export function decodeFrames(body: Uint8Array): DecodedMessage[] {
  const messages: DecodedMessage[] = [];
  let offset = 0;
  while (offset < body.length) {
    const space = body.indexOf(0x20, offset);
    const digits = Buffer.from(body.subarray(offset, space)).toString('latin1');
    if (!/^[1-9]\d*$/.test(digits)) throw new Error(`no length but ${JSON.stringify(digits.slice(0, 20))}`);
    const length = Number(digits);
    if (length > MAX_LENGTH) throw new Error(`a length of ${length}`);
    const end = space + 1 + length;
    if (end > body.length) throw new Error(`a frame of ${length} bytes is cut off`);
    messages.push(decodeMessage(body.subarray(space + 1, end)));
    offset = end;
  }
  return messages;
}

function decodeMessage(bytes: Uint8Array): DecodedMessage {
  const [head, priority, time = '', host = '', token = '', processId = ''] =
    HEADER.exec(Buffer.from(bytes.subarray(0, 1024)).toString('latin1')) ?? [];
  if (head === undefined || Number(priority) > 191) throw new Error('a message without a proper header');
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(time)) throw new Error(`no time but ${time}`);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(head.length));
  return { priority: Number(priority), time, host, token, processId, text };
}

/** Texts whose parts (` [2/3]`) are together again. */
export function joinParts(texts: readonly string[]): string[] {
  const joined: string[] = [];
  for (const text of texts) {
    const [mark, number] = / \[(\d+)\/\d+\]$/.exec(text) ?? [];
    const rest = mark === undefined ? text : text.slice(0, -mark.length);
    if (mark === undefined || number === '1') joined.push(rest);
    else joined.push((joined.pop() ?? '') + rest);
  }
  return joined;
}
