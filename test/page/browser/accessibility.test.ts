import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openBrowser, type TestBrowser } from '../support/browser.ts';
import { type BuiltPage, buildPage } from '../support/built-page.ts';
import { MockAggregator } from '../support/mock-aggregator.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ALL = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What another theme or another width can change. */
const OF_THEME = ['color-contrast'];
const OF_WIDTH = ['target-size', 'scrollable-region-focusable', 'color-contrast'];

interface PageCase {
  readonly name: string;
  readonly hash: string;
  /** Visible when the page is complete. */
  readonly ready: string;
  readonly prepare?: (browser: TestBrowser, mock: MockAggregator) => Promise<unknown>;
}

/** Every page, and the states of a page that look different. */
const CASES: readonly PageCase[] = [
  { name: 'search', hash: '#/search', ready: '.histogram' },
  {
    name: 'search with a record',
    hash: '#/search',
    ready: '.row',
    prepare: ({ page }) => page.locator('[data-row="3"]').click(),
  },
  { name: 'search with an error', hash: '#/search?q=a+%3E%3D', ready: '.query-problem' },
  { name: 'search without records', hash: '#/search?q=nothing-like-this', ready: '.state-actions' },
  {
    name: 'help',
    hash: '#/search',
    ready: '.row',
    prepare: ({ page }) => page.keyboard.press('?'),
  },
  {
    name: 'time range',
    hash: '#/search',
    ready: '.row',
    prepare: ({ page }) => page.getByRole('button', { name: /Last 24 hours/ }).click(),
  },
  {
    name: 'columns',
    hash: '#/search',
    ready: '.row',
    prepare: ({ page }) => page.getByRole('button', { name: 'Columns' }).click(),
  },
  { name: 'record', hash: '#/r/web-1%2F4f1c2a90-5b1e-4c0e-9a35-0d6c1f7a2b11/150', ready: '.row.marked' },
  {
    name: 'live tail',
    hash: '#/tail',
    ready: '.light.on',
    prepare: async ({ page }, mock) => {
      await expect.poll(() => mock.openTails).toBe(1);
      mock.append(20);
      await page.locator('.row').first().waitFor();
    },
  },
  { name: 'metrics', hash: '#/metrics', ready: '.table' },
  { name: 'metric', hash: '#/metrics/requests', ready: '.chart canvas' },
  { name: 'new metric', hash: '#/metrics?new=1', ready: '.preview .chart' },
  { name: 'alerts', hash: '#/alerts', ready: '.table' },
  { name: 'alert', hash: '#/alerts/alert_firing', ready: '.chart canvas' },
  { name: 'new alert', hash: '#/alerts?new=1&metric=requests', ready: '.preview' },
  {
    name: 'silence',
    hash: '#/alerts/alert_firing',
    ready: '.chart canvas',
    prepare: ({ page }) => page.getByRole('button', { name: 'Silence' }).click(),
  },
  { name: 'groups', hash: '#/groups', ready: '.table' },
  { name: 'new group', hash: '#/groups?new=1', ready: 'form' },
  { name: 'filters', hash: '#/filters', ready: '.editor' },
  { name: 'status', hash: '#/status', ready: '.flow' },
  { name: 'unknown page', hash: '#/nothing', ready: '.state' },
];

describe.skipIf(!hasChromium)('accessibility by axe-core', () => {
  let built: BuiltPage;
  let mock: MockAggregator;
  let address: string;

  beforeAll(async () => {
    built = buildPage();
    mock = new MockAggregator({ page: built.directory, records: 300 });
    mock.monitoring.fill();
    address = await mock.start();
  }, 120_000);

  afterAll(async () => {
    await mock.stop();
    built.remove();
  });

  const violations = async (browser: TestBrowser, rules: readonly string[], pageCase: PageCase) => {
    const { name, hash, ready, prepare } = pageCase;
    const { page } = browser;
    await page.goto('about:blank');
    await page.goto(`${address}${hash}`);
    await page.locator(ready).first().waitFor();
    await prepare?.(browser, mock);
    await page.evaluate(AXE);
    const found = await page.evaluate(async (only) => {
      type Axe = {
        run: (options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
      };
      const { axe } = globalThis as unknown as { axe: Axe };
      const result = await axe.run({ runOnly: only });
      return result.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
    }, rules);
    return found.map((each) => `${name}: ${each}`);
  };
  const overflows = async ({ page }: TestBrowser) =>
    page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

  it.each([
    ['light', 1280, ALL],
    ['dark', 1280, OF_THEME],
    ['light', 360, OF_WIDTH],
  ] as const)('finds no violation on any page: %s, %i px', { timeout: 240_000 }, async (...pageKind) => {
    const [colorScheme, width, rules] = pageKind;
    const browser = await openBrowser(address, { colorScheme, width, height: 740 });
    try {
      const found: string[] = [];
      for (const each of CASES) {
        found.push(...(await violations(browser, rules, each)));
        if (await overflows(browser)) found.push(`${each.name}: scrolls sideways`);
      }
      expect(found).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
