import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';

export interface StoreView {
  readonly address: string;
  readonly rows: number;
  readonly from: string;
  readonly to: string;
}

interface Timings {
  readonly rowsMs: number;
  readonly firstRowsMs: number;
  readonly histogramMs: number;
  readonly fieldsMs: number;
}

const SCROLLED_ROWS = 20_000;
const SCROLL_MS = 10_000;
const TIMEOUT_MS = 300_000;

/** Searches on the whole store: from the request to its answer, for each part of the page. */
export async function storeFigures(page: Page, view: StoreView): Promise<readonly (readonly string[])[]> {
  const { rows } = view;
  const figures: (readonly string[])[] = [['rows in the store', rows.toLocaleString('en')]];
  for (const [name, query] of [
    ['all records', ''],
    ['status_code >= 500', 'status_code >= 500'],
    ['a text that one record has', `body contains "request=${Math.floor(rows / 2)} "`],
  ] as const) {
    const timings = await timingsOf(page, view, query);
    figures.push(
      [`${name}: answer with the first rows`, ms(timings.rowsMs)],
      [`${name}: first rows after the answer`, ms(timings.firstRowsMs)],
      [`${name}: histogram`, ms(timings.histogramMs)],
      [`${name}: fields`, ms(timings.fieldsMs)],
    );
  }
  return [...figures, ...(await scrollFigures(page, view))];
}

async function timingsOf(page: Page, { address, from, to }: StoreView, query: string): Promise<Timings> {
  await page.goto('about:blank');
  await page.goto(`${address}#/search?${new URLSearchParams({ q: query, from, to }).toString()}`);
  // The content security policy of the page forbids that the browser waits.
  const deadline = performance.now() + TIMEOUT_MS;
  while ((await page.evaluate('window.megaCollectorBench.isLoaded()')) !== true) {
    if (performance.now() > deadline)
      throw new Error(`The search "${query}" has no answer after ${TIMEOUT_MS} ms`);
    await sleep(100);
  }
  return (await page.evaluate('window.megaCollectorBench.timings()')) as Timings;
}

async function scrollFigures(page: Page, view: StoreView): Promise<readonly (readonly string[])[]> {
  await timingsOf(page, view, '');
  const begin = performance.now();
  const wanted = Math.min(SCROLLED_ROWS, view.rows);
  const loaded = await page.evaluate(`window.megaCollectorBench.loadRows(${wanted}, ${TIMEOUT_MS})`);
  const seconds = (performance.now() - begin) / 1000;
  const { perSecond, longestMs } = (await page.evaluate(
    `window.megaCollectorBench.scrollFrames(${SCROLL_MS})`,
  )) as { readonly perSecond: number; readonly longestMs: number };
  return [
    [`rows that are loaded by scrolling in ${seconds.toFixed(1)} s`, String(loaded)],
    ['frames per second while they scroll', perSecond.toFixed(1)],
    ['longest frame', ms(longestMs)],
  ];
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
