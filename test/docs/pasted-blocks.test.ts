import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type MarkdownBlock, markdownBlocks, PAGES, shellBlocks } from '../support/markdown-blocks.ts';
import { PastedShell, type PastedTerminal } from '../support/pasted-shell.ts';

const MISSING = PastedShell.isPossible()
  ? ''
  : ' (SKIPPED: needs root, the network namespaces of Linux, and script)';

/** A block that sets variables and runs nothing. */
const SETTINGS = /^(?:#.*|[A-Z_]+=(?:'[^']*'|\S+)|)$/;

/** Texts that the blocks of a page show, in the order of the page. Blocks of settings are not in the list. */
const SHOWN: Record<string, readonly (readonly string[])[]> = {
  'README.md': [['hello from a log'], ['all streams', 'duckdb'], ['/cart']],
  'docs/from-pyloggr.md': [['Sent 1 message', 'hello over RELP'], []],
  'docs/monitoring.md': [
    ['Created total_traffic', 'totaltraffic ', '/pasted/500'],
    ['"http.response.status_code":500'],
  ],
  'docs/operations.md': [['AGGREGATOR_STATE_DIRECTORY', 'Read 3 records', 'Following a file', 'all streams']],
  'docs/postgresql.md': [['Serving metrics and health'], ['Serving metrics and health']],
  'docs/store.md': [['Serving metrics and health', 'db.example']],
  'docs/tls.md': [['CN=logs.example.com', 'Read 1 record']],
};

/** Languages of blocks that are not commands, and the test that uses them. */
const NOT_COMMANDS: Record<string, string> = {
  text: 'a drawing, or formats that access.test.ts reads',
  ini: 'a part of postgresql.conf',
  json: 'a serve database: loaded below; listeners: type.test.ts of the source syslog; containers and encodings: containers.test.ts',
  sql: 'sql.test.ts',
  ts: 'gelf.test.ts',
  yaml: 'yaml-examples.test.ts',
  yml: 'configurations of other programs: migration.test.ts',
};
const WITH_SQL = ['docs/store.md'];
const WITH_TYPESCRIPT = ['docs/gelf.md'];

const isSettings = ({ text }: MarkdownBlock) => text.split('\n').every((line) => SETTINGS.test(line));
const commandBlocks = (page: string) => shellBlocks(page).filter((block) => !isSettings(block));
const settingsOf = (page: string) =>
  shellBlocks(page)
    .filter(isSettings)
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => /^[A-Z]/.test(line));

test('every block is run, used by another test, or has a reason in the page', () => {
  const blocks = PAGES.flatMap(markdownBlocks);
  const unknown = blocks.filter(({ language }) => language !== 'sh' && NOT_COMMANDS[language] === undefined);
  expect(unknown).toEqual([]);
  const pagesWith = (language: string) => [
    ...new Set(blocks.filter((block) => block.language === language).map(({ page }) => page)),
  ];
  expect([pagesWith('sql'), pagesWith('ts')]).toEqual([WITH_SQL, WITH_TYPESCRIPT]);
  expect(pagesWith('json')).toEqual([
    ...['docs/containers.md', 'docs/formats.md', 'docs/postgresql.md', 'docs/syslog.md'],
  ]);
});

test('every block of commands has an expected output', () => {
  const counted = PAGES.map((page) => [page, commandBlocks(page).length] as const).filter(([, n]) => n > 0);
  expect(Object.fromEntries(counted)).toEqual(
    Object.fromEntries(Object.entries(SHOWN).map(([page, blocks]) => [page, blocks.length])),
  );
});

describe.skipIf(MISSING !== '')(`blocks pasted into one terminal${MISSING}`, { timeout: 300_000 }, () => {
  let shell: PastedShell;

  beforeAll(async () => {
    shell = await PastedShell.build();
  }, 120_000);

  afterAll(() => shell?.remove());

  async function openTerminal(serves?: string): Promise<PastedTerminal> {
    const terminal = await shell.open(serves === undefined ? {} : { serves });
    onTestFinished(() => terminal.close());
    return terminal;
  }

  async function shows(terminal: PastedTerminal, from: number, texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      await expect.poll(() => terminal.output().slice(from), { timeout: 120_000 }).toContain(text);
    }
  }

  async function runBlock(terminal: PastedTerminal, { text }: MarkdownBlock, texts: readonly string[]) {
    const from = terminal.output().length;
    terminal.paste(text);
    const isEndless = text.includes('Ctrl-C');
    if (!isEndless) await terminal.untilIdle();
    await shows(terminal, from, texts);
    if (isEndless) terminal.interrupt();
    await terminal.untilIdle();
  }

  test.each(Object.entries(SHOWN))('of %s do what the page describes', async (page, expected) => {
    const [serves] = markdownBlocks(page).filter(({ language }) => language === 'json');
    const terminal = await openTerminal(serves?.text);
    for (const [index, block] of commandBlocks(page).entries()) {
      await runBlock(terminal, block, expected[index] ?? []);
    }
    if (serves !== undefined) {
      const from = terminal.output().length;
      terminal.paste('ls /var/lib/mega-collector/serves');
      await shows(terminal, from, ['serves.loaded']);
    }
    expect(terminal.failed()).toEqual([]);
  });

  const withSettings = PAGES.filter((page) => settingsOf(page).length > 0);

  test.each(withSettings)('of %s set variables that are accepted', async (page) => {
    const commands = settingsOf(page).map((line) => {
      const half = line.startsWith('COLLECTOR_') ? 'collector' : 'aggregator';
      return `(export ${line}; mega-collector ${half} --check > /dev/null)`;
    });
    const terminal = await openTerminal();
    terminal.paste(commands.join('\n'));
    await terminal.untilIdle();
    expect(terminal.failed()).toEqual([]);
  });
});
