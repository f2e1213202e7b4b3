import type { TailPlace } from '../../logstore/logs/tail-page.ts';

/** So long a header may be is half of what a request's headers may be. */
const MAX_CHARACTERS = 8 * 1024;
const WRITER = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,14})$/;

/** `writer.flush~writer.flush`; nothing to a client. undefined: too long to be sent back. */
export function formatTailPlace(place: TailPlace): string | undefined {
  const text = [...place].map(([writer, flush]) => `${writer}.${flush}`).join('~');
  // An empty id would mean to a client that there is none.
  return text.length <= MAX_CHARACTERS ? text || NOWHERE : undefined;
}

const NOWHERE = '-';

/** undefined: not one of ours. */
export function parseTailPlace(text: string): TailPlace | undefined {
  if (text === NOWHERE) return new Map();
  if (text.length > MAX_CHARACTERS) return undefined;
  const place = new Map<string, number>();
  for (const part of text.split('~')) {
    const [, writer, flush] = WRITER.exec(part) ?? [];
    if (writer === undefined || flush === undefined) return undefined;
    place.set(writer, Number(flush));
  }
  return place;
}
