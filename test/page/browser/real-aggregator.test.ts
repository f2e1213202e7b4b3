import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../testkit/free-ports.ts';
import { productIsBuilt, startProduct, untilReady } from '../../../testkit/product.ts';
import type { RunningProcess } from '../../../testkit/running-process.ts';
import { hasChromium, openBrowser, type TestBrowser } from '../support/browser.ts';

const TOKEN = 'token-of-the-test-0123456789';
const REJECTED = 'sender rejects this';
/** The machine may be busy. */
const PATIENT_MS = 60_000;

/** The page, the API and the store together; the other tests of the page have a mock of the API. */
describe.skipIf(!hasChromium || !productIsBuilt())('the page of a real aggregator in Chromium', () => {
  let standalone: RunningProcess | undefined;
  let browser: TestBrowser;
  let address: string;
  let directory: string;
  let log: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mega-collector-test-'));
    log = join(directory, 'app.log');
    await mkdir(join(directory, 'filters'));
    await writeFile(
      join(directory, 'filters/rejected.filter'),
      `drop if not (body contains "${REJECTED}")\n`,
    );
    await writeFile(log, lines(200));
    const [aggregator, http, collector, closed] = await freePorts(4);
    standalone = startProduct({
      subcommand: 'standalone',
      env: {
        AGGREGATOR_LISTEN_ADDRESS: `127.0.0.1:${aggregator}`,
        AGGREGATOR_HTTP_ADDRESS: `127.0.0.1:${http}`,
        AGGREGATOR_HTTP_TOKEN: TOKEN,
        AGGREGATOR_STATE_DIRECTORY: join(directory, 'aggregator'),
        AGGREGATOR_FILTER_DIRECTORY: join(directory, 'filters'),
        AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '200ms',
        AGGREGATOR_RETRY_COUNT: '1',
        AGGREGATOR_AFTER_RETRIES: 'dead-letter',
        AGGREGATOR_DUCKDB_CONFIGURATION: '{"filter": "none"}',
        AGGREGATOR_GELF_CONFIGURATION: `{"address": "tcp://127.0.0.1:${closed}", "filter": "rejected"}`,
        COLLECTOR_HTTP_ADDRESS: `127.0.0.1:${collector}`,
        COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
        COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([{ paths: [log], format: 'json' }]),
        COLLECTOR_SYSLOG: 'udp://127.0.0.1:0',
      },
    });
    address = `http://127.0.0.1:${http}/`;
    await untilReady(standalone, `127.0.0.1:${http}`, PATIENT_MS);
    browser = await openBrowser(address);
    browser.page.setDefaultTimeout(PATIENT_MS);
    await signIn(browser, address);
  }, 2 * PATIENT_MS);

  afterAll(async () => {
    await browser?.close();
    await standalone?.kill();
    await rm(directory, { recursive: true, force: true });
  });

  const visit = async (hash: string) => {
    await browser.page.goto('about:blank');
    await browser.page.goto(`${address}${hash}`);
  };
  const dialog = () => browser.page.getByRole('dialog');
  /** Records reach the store after their batch: searches again until there are some. */
  const searched = async (hash: string) => {
    const row = browser.page.locator('.row').first();
    for (let isFound = false; !isFound; isFound = await row.isVisible()) {
      await visit(hash);
      await browser.page.locator('.row, .state:not(.loading)').first().waitFor();
    }
  };

  it('finds records, with a histogram and fields', { timeout: PATIENT_MS }, async () => {
    await searched('#/search?q=status+%3E%3D+500');
    await browser.page.locator('.histogram').waitFor();
    await browser.page.getByText('order.id').first().waitFor();
    const bodies = await browser.page.locator('.row').allTextContents();
    expect(bodies.every((text) => text.includes('failed <b>hard</b>'))).toBe(true);
    expect([browser.problems, browser.foreign]).toEqual([[], []]);
  });

  it('shows a record with its neighbours, its bytes and its parsing', { timeout: PATIENT_MS }, async () => {
    const { page } = browser;
    await searched('#/search?q=order.id+%3D%3D+100');
    await page.locator('.row').first().click();
    await page.locator('.detail').waitFor();
    await page.keyboard.press('c');
    await page.locator('.row.marked').waitFor();
    await page.locator('.row', { hasText: 'order 99 ' }).waitFor();
    await page.locator('.row', { hasText: 'order 101 ' }).waitFor();
    await page.getByText('"order": {"id": 100}').waitFor();
    await page.getByText('The format is json').waitFor();
    expect([browser.problems, browser.foreign]).toEqual([[], []]);
  });

  it('shows new records in the live tail', { timeout: PATIENT_MS }, async () => {
    await visit('#/tail');
    await browser.page.locator('.light.on').waitFor();
    const timer = setInterval(() => appendFileSync(log, lines(1, 'live')), 200);
    try {
      await browser.page.locator('.row', { hasText: 'live' }).first().waitFor();
    } finally {
      clearInterval(timer);
    }
    expect([browser.problems, browser.foreign]).toEqual([[], []]);
  });

  it('computes a metric with a preview, and an alert on it', { timeout: 2 * PATIENT_MS }, async () => {
    const { page } = browser;
    // A repetition of the test needs another name.
    const name = `orders_${Date.now()}`;
    await visit('#/metrics?new=1');
    await dialog().getByLabel('Name').fill(name);
    await dialog().getByLabel('Interval').selectOption('10');
    await dialog().getByRole('img', { name: 'Preview' }).waitFor();
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().waitFor({ state: 'detached' });
    await visit(`#/alerts?new=1&metric=${name}`);
    await dialog().getByLabel('Name').fill(`${name}_alert`);
    await dialog().getByLabel('Level', { exact: true }).fill('1000000');
    await dialog().getByText('The alert would have fired 0 times.').waitFor();
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('link', { name: `${name}_alert` }).click();
    await page.getByText('The state has not changed yet.').waitFor();
    await page.getByRole('button', { name: 'Silence' }).click();
    await dialog().getByRole('button', { name: 'Silence' }).click();
    await page.getByText('Silenced until').waitFor();
    expect([browser.problems, browser.foreign]).toEqual([[], []]);
  });

  it('runs a filter over the newest records', { timeout: PATIENT_MS }, async () => {
    await visit('#/filters');
    const editor = browser.page.getByRole('textbox', { name: 'Filter' });
    await editor.fill('drop if status >= 500\n[seen] := true\n');
    await browser.page.getByRole('button', { name: 'Run over the newest records' }).click();
    await browser.page.locator('.tried .alert-state', { hasText: 'dropped' }).first().waitFor();
    await browser.page.locator('.changes dt', { hasText: 'seen' }).first().waitFor();
    expect([browser.problems, browser.foreign]).toEqual([[], []]);
  });

  it('shows collectors, listeners and dead letters, and discards them', { timeout: PATIENT_MS }, async () => {
    const { page } = browser;
    appendFileSync(log, lines(1, REJECTED));
    await visit('#/status');
    await page.getByText('1 connected').waitFor();
    await page.getByText('udp://127.0.0.1:0').waitFor();
    const explained = page.locator('.file-explanation');
    for (const [file, expected] of [
      [log, 'device'],
      [join(directory, 'filters'), 'no pattern matches it'],
      ['syslog', 'senders of all addresses'],
    ] as const) {
      await page.getByLabel('Explain a file').last().fill(file);
      await page.getByRole('button', { name: 'Explain' }).click();
      await explained.getByText(expected).waitFor();
    }
    await page.getByRole('button', { name: 'Show' }).first().click();
    await dialog().getByText(REJECTED).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Discard', exact: true }).first().click();
    await dialog().getByRole('button', { name: 'Discard' }).click();
    await page.getByText('The records are discarded.').waitFor();
    expect([browser.problems, browser.foreign]).toEqual([[], []]);
  });

  it('signs out, and asks for the token again', { timeout: PATIENT_MS }, async () => {
    await visit('#/status');
    await browser.page.getByRole('button', { name: 'Sign out' }).click();
    await dialog().getByLabel('Token of the aggregator').waitFor();
    // The browser reports the requests that the aggregator refuses from now on.
    browser.problems.length = 0;
    await signIn(browser, address);
  });
});

async function signIn({ page, problems }: TestBrowser, address: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(address);
  const dialog = page.getByRole('dialog', { name: 'Sign in' });
  await dialog.getByLabel('Token of the aggregator').fill(TOKEN);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.waitFor({ state: 'detached' });
  const cookies = await page.context().cookies();
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
  // The browser reports the requests before the sign-in.
  problems.length = 0;
}

function lines(count: number, text = 'processed'): string {
  return Array.from({ length: count }, (_, id) => {
    const failed = id % 10 === 9;
    const message = failed ? `order ${id} failed <b>hard</b>` : `order ${id} ${text}`;
    const order = `"order": {"id": ${id}}`;
    return `{"time": "${new Date().toISOString()}", "msg": "${message}", ${order}, "status": ${failed ? 500 : 200}}\n`;
  }).join('');
}
