import type { GelfLevelName } from './gelf-level.ts';

/**
 * A message as a program says it; everything but the text has a default. What the wire needs besides
 * (`version`, the underscores of additional names, legal characters) is this library's business and cannot be
 * set.
 *
 * GELF 1.1: https://go2docs.graylog.org/current/getting_in_log_data/gelf.html
 */
export interface GelfMessage {
  /** What happened, in one line. Blank text is sent as `(empty)`: Graylog refuses a message without. */
  readonly shortMessage: string;
  /** All there is to say: a stack trace, a dump. Left out when absent or empty. */
  readonly fullMessage?: string | undefined;
  /** Who says it. Default: the name of this host. */
  readonly host?: string | undefined;
  /**
   * Default: now. A number is in seconds since 1970, as in GELF (above 1e11 it is taken for milliseconds).
   */
  readonly timestamp?: Date | number | undefined;
  /** 0 (emergency) to 7 (debug), or a name. Default: the client's, which is 6 (informational). */
  readonly level?: number | GelfLevelName | undefined;
  /**
   * Additional fields, with or without their underscore. Strings and numbers go as they are; booleans as
   * `"true"` and `"false"` (Graylog drops JSON's own without a word); dates as ISO 8601; objects become
   * `outer.inner`; what JSON cannot say (undefined, NaN, functions) is left out.
   */
  readonly fields?: GelfFields | undefined;
}

export type GelfFields = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

/**
 * The message of a plain text: a single line is the short message; of several, the first is, and the whole
 * text is the full message, its indentation included.
 */
export function messageOfText(text: string): GelfMessage {
  const trimmed = text.trim();
  const lineEnd = trimmed.indexOf('\n');
  const whole = text.replace(BLANK_LINES, '').trimEnd();
  const fullMessage = lineEnd < 0 && whole === trimmed ? {} : { fullMessage: whole };
  return { shortMessage: lineEnd < 0 ? trimmed : trimmed.slice(0, lineEnd).trimEnd(), ...fullMessage };
}

/** At the beginning. */
const BLANK_LINES = /^(?:[^\S\n]*\n)+/;
