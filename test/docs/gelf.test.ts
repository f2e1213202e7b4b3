import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseGelfConfiguration } from '../../src/emitters/gelf/configuration.ts';
import { DatagramReceiver } from '../support/datagram-receiver.ts';
import { decodeStream } from '../support/gelf-decoder.ts';
import { StreamReceiver } from '../support/stream-receiver.ts';

const page = readFileSync('docs/gelf.md', 'utf8');
const source = readFileSync('src/gelf.ts', 'utf8');

function blocks(text: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...text.matchAll(fence)].map(([, block = '']) => block);
}

/** Runs a snippet as a module of its own, with its server replaced. */
async function run(snippet: string, ports: { readonly tcp: number; readonly udp: number }): Promise<void> {
  const directory = resolve('.tmp', `snippet-${process.pid}-${Math.random().toString(36).slice(2)}`);
  await mkdir(directory, { recursive: true });
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const module = join(directory, 'snippet.ts');
  const own = snippet
    .replace("'mega-collector/gelf'", JSON.stringify(resolve('src/gelf.ts')))
    .replace('tcp://graylog.example:12201', `tcp://127.0.0.1:${ports.tcp}`)
    .replace('udp://graylog.example:12201', `udp://127.0.0.1:${ports.udp}`);
  expect(own).not.toContain('graylog.example');
  await writeFile(module, own);
  await import(pathToFileURL(module).href);
}

describe('the snippets of the page', () => {
  const snippets = [...blocks(page, 'ts'), ...blocks(source.replace(/^ \* ?/gm, ''), 'ts')];

  it('are three', () => {
    expect(snippets).toHaveLength(3);
  });

  it.each(snippets)('run: %s', async (snippet) => {
    const shown = vi.spyOn(console, 'log').mockImplementation(() => {});
    onTestFinished(() => shown.mockRestore());
    const tcp = await StreamReceiver.start();
    const udp = await DatagramReceiver.start();
    await run(snippet, { tcp: tcp.port, udp: udp.port });
    const sent = snippet.includes('i < 1000') ? 1_000 : snippet.match(/log\.send\(/g)?.length;
    await expect.poll(() => decodeStream(tcp.received, 0).messages.length + udp.packets.length).toBe(sent);
    if (sent === 1_000) expect(shown).toHaveBeenCalledWith(true, 1_000, expect.anything(), 0, 0);
  });
});

it('shows configurations that are accepted', () => {
  const values = blocks(page, 'sh').flatMap((block) => [
    ...block.matchAll(/AGGREGATOR_GELF_CONFIGURATION='(.*)'$/gm),
  ]);
  expect(values).toHaveLength(5);
  for (const [, value = ''] of values) expect(parseGelfConfiguration(value).length).toBeGreaterThan(0);
});
