import type { GelfLevelName } from './gelf-level.ts';

/**
 * A message of a program; everything except the text has a default. The library adds all other parts of the
 * wire format (`version`, the underscores of additional names, legal characters).
 *
 * GELF 1.1: https://go2docs.graylog.org/current/getting_in_log_data/gelf.html
 */
export interface GelfMessage {
  /** The event, in one line. Blank text is sent as `(empty)`: Graylog rejects a message without text. */
  readonly shortMessage: string;
  /** The details: a stack trace, a dump. Left out if absent or empty. */
  readonly fullMessage?: string | undefined;
  /** The sending host. Default: the name of this host. */
  readonly host?: string | undefined;
  /** Default: now. A number is in seconds since 1970, as in GELF (above 1e11 it is read as milliseconds). */
  readonly timestamp?: Date | number | undefined;
  /** 0 (emergency) to 7 (debug), or a name. Default: the client's, which is 6 (informational). */
  readonly level?: number | GelfLevelName | undefined;
  /**
   * Additional fields, with or without their underscore. Strings and numbers are sent unchanged; booleans as
   * `"true"` and `"false"` (Graylog silently drops JSON's own); dates as ISO 8601; objects become
   * `outer.inner`; values that JSON cannot represent (undefined, NaN, functions) are left out.
   */
  readonly fields?: GelfFields | undefined;
}

export type GelfFields = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

/**
 * The message of a plain text: a single line is the short message; of several lines, the first is the short
 * message, and the whole text is the full message, with its indentation.
 */
export function messageOfText(text: string): GelfMessage {
  const trimmed = text.trim();
  const lineEnd = trimmed.indexOf('\n');
  const whole = text.replace(BLANK_LINES, '').trimEnd();
  const fullMessage = lineEnd < 0 && whole === trimmed ? {} : { fullMessage: whole };
  return { shortMessage: lineEnd < 0 ? trimmed : trimmed.slice(0, lineEnd).trimEnd(), ...fullMessage };
}

/** At the beginning of the text. */
const BLANK_LINES = /^(?:[^\S\n]*\n)+/;
