/**
 * Makes control characters except TAB, and marks that change the direction of text, visible. Otherwise a
 * terminal interprets them: they can move the cursor, rewrite earlier lines, set the window's title, or
 * change the order of a line. All text of a peer or a record passes through this function before it reaches a
 * terminal or this program's log.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT.get(character) ?? visible(character));
}

/**
 * Characters that JSON does not escape: C1 controls, line separators, and marks that change the direction of
 * text.
 */
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
 * The same for text with its own line ends and colours, or for JSON: only characters that JSON does not
 * escape.
 */
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
