/**
 * What the page costs in a browser: `make bench-page [PAGE_ROWS=100000 PAGE_TAIL_SECONDS=60]`. Needs Chromium of Debian. The
 * browser, the aggregator and the embedded store share the machine.
 *
 * With PAGE_STORE_ROWS=10000000, the store has so many rows that the engine generates, and the searches on the whole store are
 * measured instead.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { freePorts } from '../../testkit/free-ports.ts';
import { startProduct, untilReady } from '../../testkit/product.ts';
import { writeAccessLog } from '../access-log.ts';
import { fillDuckDb } from '../store/fill-duckdb.ts';
import { table } from '../table.ts';
import { LiveLog } from './live-log.ts';
import { storeFigures } from './store-figures.ts';

const ROWS = Number(process.env.PAGE_ROWS || 100_000);
const STORE_ROWS = Number(process.env.PAGE_STORE_ROWS || 0);
const TAIL_SECONDS = Number(process.env.PAGE_TAIL_SECONDS || 60);
const TAIL_LINES_PER_SECOND = 2_000;
const BYTES_PER_ROW = 200;
const SCROLL_MS = 10_000;
const TIMEOUT_MS = 120_000;
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** The log has times of this day and the days after it. */
const FROM = '2026-01-15T00:00:00Z';
const TO = '2026-02-15T00:00:00Z';

const directory = await mkdtemp(join(tmpdir(), 'mega-collector-page-'));
try {
  const rows = STORE_ROWS > 0 ? await measureStore() : await measure();
  process.stdout.write(`${table(['measured in Chromium', 'value'], rows)}\n`);
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function measure(): Promise<readonly (readonly string[])[]> {
  const logs = join(directory, 'logs');
  await mkdir(logs);
  // A little more than the rows, because lines differ in length.
  await writeAccessLog(join(logs, 'access.log'), (ROWS * BYTES_PER_ROW * 1.2) / 1e6);
  const settings = {
    COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([{ paths: [join(logs, '*.log')], format: 'combined' }]),
    AGGREGATOR_DUCKDB_CONFIGURATION: '{"retention_age": 0}',
  };
  return await withPage(settings, async (page, address) => {
    await untilStored(address);
    return [...(await searchFigures(page, address)), ...(await tailFigures(page, address, logs))];
  });
}

async function measureStore(): Promise<readonly (readonly string[])[]> {
  const path = join(directory, 'logs.duckdb');
  const fromUnixMs = Date.parse(FROM);
  const spanMs = Date.parse(TO) - fromUnixMs;
  await fillDuckDb({ path, rows: STORE_ROWS, fromUnixMs, spanMs });
  const settings = {
    COLLECTOR_TAIL: join(directory, '*.log'),
    AGGREGATOR_DUCKDB_CONFIGURATION: JSON.stringify({ path, retention_age: 0 }),
  };
  return await withPage(settings, (page, address) =>
    storeFigures(page, { address, rows: STORE_ROWS, from: FROM, to: TO }),
  );
}

/** Runs the product and a browser. */
async function withPage<Result>(
  settings: Readonly<Record<string, string>>,
  work: (page: Page, address: string) => Promise<Result>,
): Promise<Result> {
  const [http = 0, collector = 0] = await freePorts(2);
  const standalone = startProduct({
    subcommand: 'standalone',
    env: {
      AGGREGATOR_HTTP_ADDRESS: `127.0.0.1:${http}`,
      AGGREGATOR_STATE_DIRECTORY: join(directory, 'aggregator'),
      COLLECTOR_HTTP_ADDRESS: `127.0.0.1:${collector}`,
      COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
      ...settings,
    },
  });
  try {
    await untilReady(standalone, `127.0.0.1:${http}`, TIMEOUT_MS);
    const context = await chromium.launchPersistentContext(join(directory, 'profile'), {
      ...{ executablePath: '/usr/bin/chromium', args: FLAGS, viewport: { width: 1280, height: 860 } },
    });
    try {
      const page = context.pages()[0] ?? (await context.newPage());
      page.setDefaultTimeout(TIMEOUT_MS);
      await page.addInitScript({ path: join(process.cwd(), 'bench/page/in-page.js') });
      return await work(page, `http://127.0.0.1:${http}/`);
    } finally {
      await context.close();
    }
  } finally {
    await standalone.kill();
  }
}

async function untilStored(address: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await fetch(`${address}v1/logs/histogram?from=${FROM}&to=${TO}`);
    const { total = 0 } = (await answer.json()) as { readonly total?: number };
    if (total >= ROWS) return;
    if (performance.now() > deadline)
      throw new Error(`Only ${total} records are stored after ${TIMEOUT_MS} ms`);
    await sleep(500);
  }
}

interface Frames {
  readonly perSecond: number;
  readonly longestMs: number;
}

async function searchFigures(page: Page, address: string): Promise<readonly (readonly string[])[]> {
  await page.goto(`${address}#/search?from=${FROM}&to=${TO}`);
  await page.locator('.row').first().waitFor();
  const inPage = async <Result>(call: string) =>
    (await page.evaluate(`window.megaCollectorBench.${call}`)) as Result;
  const firstRowsMs = await inPage<number>('firstRowsMs()');
  const loaded = await inPage<number>(`loadRows(${ROWS}, ${TIMEOUT_MS})`);
  const frames = await inPage<Frames>(`scrollFrames(${SCROLL_MS})`);
  return [
    ['first rows after the answer', `${Math.round(firstRowsMs)} ms`],
    ['rows that are loaded', String(loaded)],
    ['frames per second while they scroll', frames.perSecond.toFixed(1)],
    ['longest frame', `${Math.round(frames.longestMs)} ms`],
    ['heap with these rows', await heapOf(page)],
  ];
}

async function tailFigures(
  page: Page,
  address: string,
  logs: string,
): Promise<readonly (readonly string[])[]> {
  await page.goto(`${address}#/tail`);
  const log = new LiveLog(join(logs, 'live.log'), TAIL_LINES_PER_SECOND);
  log.start();
  await page.locator('.row').first().waitFor();
  await sleep(TAIL_SECONDS * 1000);
  const written = await log.stop();
  return [[`heap of the tail after ${written} records`, await heapOf(page)]];
}

async function heapOf(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return `${Math.round(usedSize / 1e6)} MB`;
}
