import { escapeControls } from '../../../runtime/logging/escape-controls.ts';
import { jsonText } from '../../output/json-text.ts';

/**
 * What a log line, a segment or a server says, fit to be printed: one line, nothing in it that a terminal would obey, and
 * nothing that shows it in another order than it is written in. TAB becomes a blank, since it would break columns.
 */
export function harmless(text: string): string {
  return escapeControls(text).replaceAll('\t', ' ');
}

/** One line of JSON, the same to its reader, that is safe on a terminal too. */
export function jsonLine(value: unknown): string {
  return `${jsonText(value)}\n`;
}
