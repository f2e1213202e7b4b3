import { type MarkdownBlock, markdownBlocks } from './markdown-blocks.ts';

/** The configurations of a page for users of another program. */
export interface MigrationPage {
  /** The configurations of the other program, in the order of the page. */
  readonly theirs: readonly MarkdownBlock[];
  /** Our configuration files. */
  readonly ours: readonly MarkdownBlock[];
  readonly filters: readonly MarkdownBlock[];
}

export const MIGRATION_PAGES: readonly string[] = [
  'docs/from-rsyslog.md',
  'docs/from-syslog-ng.md',
  'docs/from-fluent-bit.md',
  'docs/from-filebeat.md',
  'docs/from-vector.md',
];

/** How configurations of rsyslog and syslog-ng begin. Other blocks without a language are filters. */
const THEIR_BEGINNING = /^(?:module\(|@version)/;

export function migrationPage(page: string): MigrationPage {
  const blocks = markdownBlocks(page);
  const isTheirs = ({ language, text }: MarkdownBlock) =>
    language === 'yml' || (language === 'text' && THEIR_BEGINNING.test(text));
  return {
    theirs: blocks.filter(isTheirs),
    ours: blocks.filter(({ language }) => language === 'yaml'),
    filters: blocks.filter((block) => block.language === 'text' && !isTheirs(block)),
  };
}

/** Replaces every name by its value. Fails if the text does not have a name, because the page has changed then. */
export function withReplacements(text: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((result, [name, value]) => {
    if (!result.includes(name)) throw new Error(`There is no ${name} in\n${text}`);
    return result.replaceAll(name, value);
  }, text);
}
