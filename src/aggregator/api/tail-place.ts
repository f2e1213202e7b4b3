import type { TailPlace } from '../../logstore/logs/tail-page.ts';

/** Half of the size that all headers of a request may have. */
const MAX_CHARACTERS = 8 * 1024;
/** A UUID; ClickHouse's has no hyphens. */
const WRITER = /^([0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12})\.(0|[1-9][0-9]{0,14})$/;

/** `writer.flush~writer.flush`; opaque to clients. undefined: too long for a header. */
export function formatTailPlace(place: TailPlace): string | undefined {
  const text = [...place].map(([writer, flush]) => `${writer}.${flush}`).join('~');
  // An empty id means to a client that there is none.
  return text.length <= MAX_CHARACTERS ? text || NOWHERE : undefined;
}

const NOWHERE = '-';

/** undefined: not a place. */
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
