import { escapeControls } from '../../../emitters/text/escape-controls.ts';

/** They turn the order of what follows around, up to making a line read as something else than it is. */
const DIRECTIONS = /[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * What a log line, a segment or a server says, fit to be printed: one line, nothing in it that a terminal would obey, and
 * nothing that shows it in another order than it is written in. TAB becomes a blank, since it would break columns.
 */
export function harmless(text: string): string {
  return escapeControls(text)
    .replaceAll('\t', ' ')
    .replace(DIRECTIONS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const NOT_ESCAPED_BY_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line of JSON, the same to whoever parses it, that is safe on a terminal too. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(
    NOT_ESCAPED_BY_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}
