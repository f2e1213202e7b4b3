import { escapeControls } from '../../../runtime/logging/escape-controls.ts';
import { jsonText } from '../../output/json-text.ts';

/**
 * Makes text of a log line, a segment or a server safe to print: on one line, without control characters for
 * the terminal, and without characters that change the order of the text. A TAB becomes a blank, because it
 * would break columns.
 */
export function sanitizeForTerminal(text: string): string {
  return escapeControls(text).replaceAll('\t', ' ');
}

/** One line of JSON that is also safe on a terminal. Its content is unchanged. */
export function jsonLine(value: unknown): string {
  return `${jsonText(value)}\n`;
}
