/** A decoder of its own for the tests: knows nothing of the writers in src. */

export interface DecodedMessage {
  readonly priority: number;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly processId: string;
  readonly messageId: string;
  readonly elements: readonly { readonly id: string; readonly parameters: readonly (readonly string[])[] }[];
  readonly text: string;
}

/** Splits a stream of octet-counted frames; throws if it is not one. */
export function decodeOctetFrames(stream: Uint8Array): Buffer[] {
  const bytes = Buffer.from(stream);
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, space));
    if (space < 0 || !Number.isInteger(length)) throw new Error(`no frame at ${at}`);
    const end = space + 1 + length;
    // The last frame may still be incomplete.
    if (end > bytes.length) break;
    frames.push(bytes.subarray(space + 1, end));
    at = end;
  }
  return frames;
}

const HEADER = /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) /;
const PARAMETER = / ([^\s=\]"]+)="((?:[^"\\\]]|\\.)*)"/y;

/** Reads an RFC 5424 message by the grammar; throws for anything else. */
export function decodeRfc5424(bytes: Uint8Array): DecodedMessage {
  const message = Buffer.from(bytes).toString();
  const header = HEADER.exec(message);
  if (header === null) throw new Error(`no RFC 5424 header: ${message.slice(0, 200)}`);
  const [whole, priority, time = '', host = '', app = '', processId = '', messageId = ''] = header;
  let at = whole.length;
  const elements: { id: string; parameters: string[][] }[] = [];
  if (message[at] === '-') at++;
  while (message[at] === '[') {
    const id = /^[^\s=\]"]+/.exec(message.slice(at + 1))?.[0] ?? '';
    at += 1 + id.length;
    const parameters: string[][] = [];
    PARAMETER.lastIndex = at;
    for (let found = PARAMETER.exec(message); found !== null; found = PARAMETER.exec(message)) {
      const [, name = '', value = ''] = found;
      parameters.push([name, value.replace(/\\(["\\\]])/g, '$1')]);
      at = PARAMETER.lastIndex;
    }
    if (message[at] !== ']') throw new Error(`structured data does not end: ${message.slice(at, at + 50)}`);
    at++;
    elements.push({ id, parameters });
  }
  if (at < message.length && message[at] !== ' ') throw new Error('no space before the text');
  const text = message.slice(at + 1);
  return { priority: Number(priority), time, host, app, processId, messageId, elements, text };
}
