import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a Markdown page. */
export interface MarkdownBlock {
  readonly page: string;
  readonly line: number;
  /** The word after the fence: `sh`, `sql`, `text`, ... */
  readonly language: string;
  readonly text: string;
  /** The reason in a comment `<!-- not run: reason -->` on the line before the block. */
  readonly notRun: string | undefined;
}

/** The pages for readers of the project; fixtures describe themselves. */
export const PAGES: readonly string[] = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/README.md'],
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path))
    .sort(),
];

const BLOCK = /^( *)(?:<!-- not run: (.+?) -->\n *)?```(\w*)\n(.*?)^ *```$/gms;

/** All blocks of a page, in their order. */
export function markdownBlocks(page: string): MarkdownBlock[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(BLOCK)].map((match) => {
    const [, , notRun, language = '', block = ''] = match;
    return { page, line: text.slice(0, match.index).split('\n').length, language, text: block, notRun };
  });
}

/** The blocks of a page that a reader pastes into a shell. */
export function shellBlocks(page: string): MarkdownBlock[] {
  return markdownBlocks(page).filter(({ language, notRun }) => language === 'sh' && notRun === undefined);
}
