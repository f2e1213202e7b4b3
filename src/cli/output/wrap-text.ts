import { textWidth } from './text-width.ts';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Breaks the text at blanks into lines of at most this width; a word that is longer than a line is cut. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = cutWord(word, width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line].map((each) => each.trimEnd());
}

/** A paragraph whose lines after the first are indented; unchanged without a width. Ends with a newline. */
export function formatParagraph(text: string, width: number | undefined, indent = 0): string {
  if (width === undefined || textWidth(text) <= width) return `${text}\n`;
  const blanks = ' '.repeat(indent);
  const [first = '', ...others] = wrapText(text, width - indent);
  return `${[first, ...others.map((line) => blanks + line)].join('\n')}\n`;
}

function cutWord(word: string, width: number): readonly string[] {
  if (textWidth(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  for (const { segment } of segmenter.segment(word)) {
    if (piece !== '' && textWidth(piece + segment) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += segment;
  }
  return [...pieces, piece];
}
