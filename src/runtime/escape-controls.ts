/** Characters that only JSON's reader escapes: C1 controls, line separators, and marks that change the direction of text. */
const UNSEEN = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const UNSAFE = /(?!\t)\p{Cc}|[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** An escape of JSON as a whole, so that an escaped backslash does not begin another one. */
const JSON_ESCAPE = /\\(?:u[0-9a-f]{4}|.)/g;
const HARMLESS_ESCAPES: ReadonlySet<string> = new Set(['\\\\', '\\"', '\\/', '\\n', '\\t']);

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
]);

/**
 * Text with every control character but TAB made visible, and every mark that changes the direction of text. A terminal
 * obeys them: they can move the cursor, rewrite earlier lines, set the window's title, or show a line in another order.
 * All text of a peer or a record that reaches a terminal or our own log passes through this file.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT.get(character) ?? visible(character));
}

/** The same for text that has its own line ends and colours, or that is JSON: only what JSON leaves as it is. */
export function escapeUnseen(text: string): string {
  return text.replace(UNSEEN, unicode);
}

/**
 * JSON text whose reader gets the escapes of control characters as text, instead of the characters. Line feeds and TABs
 * stay as they are: a stack trace has them.
 */
export function escapeJsonControls(json: string): string {
  return json.replace(JSON_ESCAPE, (text) => (HARMLESS_ESCAPES.has(text) ? text : `\\${text}`));
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  return code > 0xff ? unicode(character) : `\\x${code.toString(16).padStart(2, '0')}`;
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
