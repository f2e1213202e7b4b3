/**
 * Writes docs/images/*.png: a screenshot of each page of a real aggregator with generated records. `make screenshots`.
 * Needs Chromium of Debian.
 */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { freePorts } from '../../testkit/free-ports.ts';
import { startProduct, untilReady } from '../../testkit/product.ts';
import { ShopLog } from './shop-log.ts';

/** Small, so that a picture has less than 150 KB. */
const VIEWPORT = { width: 1100, height: 560 };
const IMAGES = join(process.cwd(), 'docs/images');
const TOKEN = 'screenshots-0123456789';
const TIMEOUT_MS = 60_000;
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

interface Shot {
  readonly name: string;
  readonly hash: string;
  /** Visible when the page is complete. */
  readonly ready: string;
  /** Smaller for pages that are full of text, whose pictures would be too large. */
  readonly height?: number;
  readonly prepare?: (page: Page) => Promise<unknown>;
}

const SHOTS: readonly Shot[] = [
  { name: 'search', hash: '#/search?from=1h', ready: '.facet-value' },
  {
    name: 'record',
    hash: '#/search?from=1h&q=severity%20%3E%3D%20error',
    height: 460,
    ready: '.row',
    prepare: async (page) => {
      await page.locator('.row').nth(8).click();
      await page.locator('.detail').waitFor();
      await page.keyboard.press('c');
      await page.locator('.row.marked').waitFor();
    },
  },
  { name: 'tail', hash: '#/tail', ready: '.row[data-row="16"]', height: 500 },
  { name: 'metrics', hash: '#/metrics/requests', ready: '.chart canvas' },
  { name: 'alerts', hash: '#/alerts/many_requests', ready: '.chart canvas' },
  { name: 'groups', hash: '#/groups', ready: '.table' },
  {
    name: 'filters',
    hash: '#/filters',
    ready: '.editor',
    prepare: async (page) => {
      await page.getByRole('button', { name: /Run over/ }).click();
      await page.locator('.tried li').first().waitFor();
    },
  },
  { name: 'status', hash: '#/status', ready: '.flow' },
];

async function takeAll(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-screenshots-'));
  const log = new ShopLog(join(directory, 'shop'));
  await log.writePast({ records: 10_000, seconds: 3600 });
  const [listen, http, collector, syslog] = await freePorts(4);
  const standalone = startProduct({
    subcommand: 'standalone',
    env: {
      AGGREGATOR_LISTEN_ADDRESS: `127.0.0.1:${listen}`,
      AGGREGATOR_HTTP_ADDRESS: `127.0.0.1:${http}`,
      AGGREGATOR_HTTP_TOKEN: TOKEN,
      AGGREGATOR_STATE_DIRECTORY: join(directory, 'aggregator'),
      AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '1s',
      AGGREGATOR_DUCKDB_CONFIGURATION: '{}',
      AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: join(directory, 'all.log') }),
      COLLECTOR_HTTP_ADDRESS: `127.0.0.1:${collector}`,
      COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
      COLLECTOR_TAIL_CONFIGURATION: JSON.stringify(log.tailConfiguration),
      COLLECTOR_SYSLOG: `udp://127.0.0.1:${syslog}`,
    },
  });
  log.startLive();
  try {
    const address = `http://127.0.0.1:${http}/`;
    await untilReady(standalone, `127.0.0.1:${http}`, TIMEOUT_MS);
    await createMonitoring(address);
    await mkdir(IMAGES, { recursive: true });
    await takeShots(address, join(directory, 'profile'));
  } finally {
    log.stop();
    await standalone.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function createMonitoring(address: string): Promise<void> {
  const requests = {
    ...{ id: 'requests', statistic: 'count', property: '*', periodSeconds: 60, segment: 'status_code' },
    filter: { where: [{ expression: 'exists status_code' }] },
  };
  const shop = { id: 'shop', expression: 'url.path starts_with "/api"', description: 'Requests of the shop' };
  const many = {
    ...{ id: 'many_requests', metric: 'requests', statistic: 'avg', comparison: '>', level: 60 },
    ...{ windowSeconds: 300, forSeconds: 0, noData: 'no-data', notify: true },
  };
  for (const [path, body] of [
    ['metrics', requests],
    ['alerts', many],
    ['log-groups', shop],
  ] as const) {
    const answer = await fetch(`${address}v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`Cannot create ${body.id}: ${await answer.text()}`);
  }
}

async function takeShots(address: string, profile: string): Promise<void> {
  const context = await chromium.launchPersistentContext(profile, {
    ...{ executablePath: '/usr/bin/chromium', args: FLAGS, viewport: VIEWPORT, timezoneId: 'UTC' },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(TIMEOUT_MS);
  await page.goto(address);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Token of the aggregator').fill(TOKEN);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.waitFor({ state: 'detached' });
  for (const { name, hash, ready, prepare, height = VIEWPORT.height } of SHOTS) {
    await page.setViewportSize({ width: VIEWPORT.width, height });
    await page.goto('about:blank');
    await page.goto(`${address}${hash}`);
    await page.locator(ready).first().waitFor();
    await prepare?.(page);
    await page.mouse.move(0, 0);
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
    await page.screenshot({ path: join(IMAGES, `${name}.png`) });
    process.stdout.write(`docs/images/${name}.png\n`);
  }
  await context.close();
}

await takeAll();
