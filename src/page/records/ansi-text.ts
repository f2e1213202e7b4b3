export interface StyledText {
  readonly text: string;
  /** Classes such as `ansi-31 ansi-bold`; empty without a style. */
  readonly classes: string;
}

interface Style {
  readonly colour: number | undefined;
  readonly isBold: boolean;
  readonly isUnderlined: boolean;
}

const PLAIN: Style = { colour: undefined, isBold: false, isUnderlined: false };
/** Only colours and weights. Every other control sequence stays in the text, and is shown as escapes. */
const SGR = /\p{Cc}\[([\d;]{0,40})m/gu;

/**
 * A text with the colours of a terminal. Backgrounds, hidden text and colours of 256 or more are left out: with them, a
 * line could hide a part of itself.
 */
export function styledText(text: string): readonly StyledText[] {
  if (!text.includes('\u001B[')) return [{ text, classes: '' }];
  const parts: StyledText[] = [];
  let style = PLAIN;
  let end = 0;
  const add = (until: number) => {
    if (until > end) parts.push({ text: text.slice(end, until), classes: classesOf(style) });
  };
  for (const match of text.matchAll(SGR)) {
    if (match[0][0] !== '\u001B') continue;
    add(match.index);
    style = codesOf(match[1] ?? '').reduce(changed, style);
    end = match.index + match[0].length;
  }
  add(text.length);
  return parts;
}

/** Without the parameters of `38;5;N` and `38;2;R;G;B`. */
function codesOf(parameters: string): readonly number[] {
  const codes = parameters.split(';').map(Number);
  const kept: number[] = [];
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
    else kept.push(code);
  }
  return kept;
}

function changed(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, isBold: true };
  if (code === 22) return { ...style, isBold: false };
  if (code === 4) return { ...style, isUnderlined: true };
  if (code === 24) return { ...style, isUnderlined: false };
  if (code === 39) return { ...style, colour: undefined };
  if (code >= 30 && code <= 37) return { ...style, colour: code };
  return code >= 90 && code <= 97 ? { ...style, colour: code - 60 } : style;
}

function classesOf({ colour, isBold, isUnderlined }: Style): string {
  return [
    colour === undefined ? '' : `ansi-${colour}`,
    isBold ? 'ansi-bold' : '',
    isUnderlined ? 'ansi-underline' : '',
  ]
    .filter((name) => name !== '')
    .join(' ');
}
