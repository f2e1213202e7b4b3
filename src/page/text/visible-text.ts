/**
 * Characters that change how a line looks, or that hide in it: controls, bidirectional controls, zero-width characters,
 * tags, separators of lines and paragraphs, and halves of surrogate pairs. ZERO WIDTH JOINER, which emoji need, and the
 * visible format characters of Arabic and Syriac are not among them.
 */
const HIDDEN = /(?![\u200d\u0600-\u0605\u06dd\u070f\u08e2])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

export interface TextPart {
  readonly text: string;
  /** An escape such as `\u202e`: shown in another style, so that it is not taken for these characters in the log. */
  readonly isEscape: boolean;
}

/** The parts of a text, with escapes in place of hidden characters. `keep`: characters that stay, such as `\n`. */
export function visibleParts(text: string, keep = ''): readonly TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { 0: character, index } of text.matchAll(HIDDEN)) {
    if (keep.includes(character)) continue;
    if (index > end) parts.push({ text: text.slice(end, index), isEscape: false });
    parts.push({ text: escapeOf(character), isEscape: true });
    end = index + character.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), isEscape: false });
  return parts;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const name = NAMES[character];
  if (name !== undefined) return name;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/** The same as one text, for titles and labels. */
export function visibleText(text: string): string {
  return visibleParts(text)
    .map((part) => part.text)
    .join('');
}

/** True if no character of it is hidden. */
export function isPlainText(text: string): boolean {
  return text.search(HIDDEN) === -1;
}
