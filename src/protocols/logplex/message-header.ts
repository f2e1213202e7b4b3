import { headerField, LONGEST } from '../syslog/header-field.ts';

/** The fields before the text of a message. */
export interface MessageHeader {
  /** 0 to 191: facility x 8 + severity. */
  readonly priority: number;
  readonly timeUnixNano: bigint;
  readonly host: string;
  /** Secret. The server replaces it with the name of its channel. */
  readonly token: string;
  readonly processId: string;
}

/**
 * `<134>1 2014-07-14T23:36:11.000Z host token procid - - `: RFC 5424 without message id and structured data,
 * for which the server's parser requires hyphens.
 */
export function messageHeader({ priority, timeUnixNano, host, token, processId }: MessageHeader): string {
  const time = timestamp(timeUnixNano);
  const [cleanHost, cleanToken, cleanProcess] = [
    headerField(host, LONGEST.host),
    headerField(token, LONGEST_TOKEN),
    headerField(processId, LONGEST.processId),
  ];
  return `<${priority}>1 ${time} ${cleanHost} ${cleanToken} ${cleanProcess} - - `;
}

/** Maximum token length; a longer token would leave too little room for text. */
export const LONGEST_TOKEN = 255;

const MAX_UNIX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** UTC, milliseconds; always four digits for the year. */
function timestamp(unixNano: bigint): string {
  const unixMs = Number(unixNano / 1_000_000n);
  return new Date(Math.min(Math.max(unixMs, 0), MAX_UNIX_MS)).toISOString();
}
