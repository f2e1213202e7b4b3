import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type PastedBlock, PastedShell } from '../support/pasted-shell.ts';

const WHY_NOT = PastedShell.isPossible() ? '' : ' (SKIPPED: needs root and the network namespaces of Linux)';

let shell: PastedShell;

beforeAll(async () => {
  if (WHY_NOT === '') shell = await PastedShell.build();
}, 120_000);

afterAll(() => shell?.remove());

function blocks(path: string, heading = ''): readonly string[] {
  const page = readFileSync(path, 'utf8');
  const section = page.slice(page.indexOf(heading));
  return [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, language]) => language === '' || language === 'sh')
    .map(([, , block = '']) => block);
}

function first(path: string, heading?: string): string {
  const [block] = blocks(path, heading);
  if (block === undefined) throw new Error(`there is no block in ${path}`);
  return block;
}

function paste(block: string): PastedBlock {
  const pasted = shell.paste(block);
  onTestFinished(() => pasted.end());
  return pasted;
}

/** Waits for a text of the commands; fails with all that they wrote when the block ends with an error. */
async function shows(pasted: PastedBlock, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await expect.poll(() => pasted.output(), { timeout: 60_000 }).toContain(text);
}

async function succeeds(pasted: PastedBlock): Promise<void> {
  expect(await pasted.exitCode, pasted.output()).toBe(0);
}

/** Alternatives of a block: what stands between blank lines. */
const alternatives = (block: string): readonly string[] => block.trim().split(/\n\n+/);

describe.skipIf(WHY_NOT !== '')(`a block that is pasted as it is${WHY_NOT}`, { timeout: 120_000 }, () => {
  test('of the README starts both halves, and shows what the logs have', async () => {
    const pasted = paste(first('README.md', '## Use it'));
    await shows(pasted, 'a line of a log');
  });

  test('of docs/monitoring.md finds the error, makes the metrics, and observes the alert', async () => {
    const pasted = paste(first('docs/monitoring.md'));
    await shows(pasted, 'Created total_traffic', 'totaltraffic ', '/pasted/500');
  });

  test('of docs/store.md starts, and waits for PostgreSQL where there is none', async () => {
    const pasted = paste(
      blocks('docs/store.md').find((block) => block.includes('mega-collector aggregator')) ?? '',
    );
    await shows(pasted, 'Serving metrics and health', 'db.example');
  });

  test.each(alternatives(first('docs/postgresql.md', '```sh')))(
    'of docs/postgresql.md starts: %s',
    async (block) => {
      await shows(paste(block), 'Serving metrics and health');
    },
  );

  test('of docs/operations.md checks, reads once, and follows', async () => {
    const pasted = paste(first('docs/operations.md'));
    await succeeds(pasted);
    await shows(pasted, 'AGGREGATOR_STATE_DIRECTORY', 'Read 3 records', 'Following a file');
  });

  test.each(['gelf', 'logplex', 'configuration'])(
    'of docs/%s.md sets what the aggregator accepts',
    async (page) => {
      const lines = blocks(`docs/${page}.md`)
        .flatMap((block) => block.split('\n'))
        .filter((line) => line.startsWith('AGGREGATOR_'));
      expect(lines.length).toBeGreaterThan(2);
      await succeeds(
        paste(lines.map((line) => `(export ${line}; mega-collector aggregator --check)`).join('\n')),
      );
    },
  );
});
