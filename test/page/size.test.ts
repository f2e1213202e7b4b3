import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const MAX_BYTES = 80 * 1024;

let dist: string;
let files: readonly { readonly path: string; readonly content: Buffer }[];

beforeAll(() => {
  dist = mkdtempSync(join(tmpdir(), 'mega-collector-page-'));
  execFileSync(join(ROOT, 'node_modules/.bin/vite'), ['build', '--outDir', join(dist, 'page')], {
    cwd: ROOT,
    // As in a build for the package: Vitest sets another value.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.[a-z]+$/.test(path))
    .map((path) => ({ path, content: readFileSync(join(dist, path)) }));
}, 120_000);

afterAll(() => rmSync(dist, { recursive: true, force: true }));

it('has at most 80 KiB of JavaScript and CSS with gzip', () => {
  const sizes = files
    .filter(({ path }) => /\.(?:js|css)$/.test(path))
    .map(({ content }) => gzipSync(content, { level: 9 }).length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MAX_BYTES);
});

it('has a hash in the name of every file but the document', () => {
  const names = files.map(({ path }) => path).filter((path) => path !== 'page/index.html');
  expect(names.filter((name) => !/^page\/assets\/[\w.-]+-[\w-]{8}\.(?:js|css|svg)$/.test(name))).toEqual([]);
});

it('has no inline script, style or event handler, and no address elsewhere', () => {
  const [document = ''] = files
    .filter(({ path }) => path.endsWith('.html'))
    .map(({ content }) => content.toString());
  expect(document).toMatch(/<script type="module" crossorigin src="\.\/assets\//);
  expect(document).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:/);
});

it('has no code that the content security policy forbids', () => {
  const scripts = files.filter(({ path }) => path.endsWith('.js')).map(({ content }) => content.toString());
  expect(scripts.filter((text) => /\beval\(|new Function\b|\.insertAdjacentHTML\b/.test(text))).toEqual([]);
});

it('has no source maps', () => {
  expect(files.filter(({ path }) => path.endsWith('.map'))).toEqual([]);
});
