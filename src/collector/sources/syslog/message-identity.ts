import { formatNamed } from '../../../formats/registry.ts';
import { IDENTITY_ELEMENT } from '../../../protocols/syslog/message-of-record.ts';
import type { AttributeValue } from '../../../records/log-record.ts';

/** The identity that a sender writes into its messages, so that a repetition can be recognized. */
export interface MessageIdentity {
  /** It is unique for all senders, so it is not compared with the address of the sender. */
  readonly isGlobal: boolean;
  /** undefined: the message has none. */
  of(message: Uint8Array): string | undefined;
}

/** Returns undefined when the text is not an identity. */
export function parseIdentity(text: string): MessageIdentity | undefined {
  if (text === 'megacollector') return { isGlobal: true, of: ownIdentity };
  const [, kind, rest = ''] = /^(sd|json):(.+)$/s.exec(text) ?? [];
  if (kind === 'json') return { isGlobal: false, of: (message) => jsonValue(message, rest) };
  const dot = rest.lastIndexOf('.');
  if (kind !== 'sd' || dot < 1 || dot === rest.length - 1) return undefined;
  const id = rest.slice(0, dot);
  const parameter = rest.slice(dot + 1);
  return { isGlobal: false, of: (message) => textOf(elementOf(message, id)?.[parameter]) };
}

export const IDENTITY_FORMAT = '`sd:ID.PARAMETER`, `json:KEY` or `megacollector`';

function ownIdentity(message: Uint8Array): string | undefined {
  const element = elementOf(message, IDENTITY_ELEMENT);
  const stream = textOf(element?.['stream']);
  const position = textOf(element?.['position']);
  return stream === undefined || position === undefined ? undefined : `${stream} ${position}`;
}

type Element = { readonly [name: string]: AttributeValue };

function elementOf(message: Uint8Array, id: string): Element | undefined {
  if (message.indexOf(OPEN_BRACKET) === -1) return undefined;
  const data = formatNamed('syslog').parse(message).attributes.get('syslog.structured_data');
  return objectOf(objectOf(data)?.[id]);
}

function jsonValue(message: Uint8Array, key: string): string | undefined {
  const start = message.indexOf(OPEN_BRACE);
  if (start === -1) return undefined;
  try {
    const value = JSON.parse(Buffer.from(message.subarray(start)).toString()) as unknown;
    return textOf((value as Element)[key]);
  } catch {
    return undefined;
  }
}

function objectOf(value: AttributeValue | undefined): Element | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Element)
    : undefined;
}

function textOf(value: AttributeValue | undefined): string | undefined {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return text === '' ? undefined : text;
}

const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
