import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, openBrowser, type TestBrowser } from '../support/browser.ts';
import { type BuiltPage, buildPage } from '../support/built-page.ts';
import { MockAggregator } from '../support/mock-aggregator.ts';

describe.skipIf(!hasChromium)('the live tail in Chromium', () => {
  let built: BuiltPage;
  let mock: MockAggregator;
  let address: string;
  let browser: TestBrowser;

  beforeAll(async () => {
    built = buildPage();
    mock = new MockAggregator({ page: built.directory, records: 200 });
    address = await mock.start();
    browser = await openBrowser(address);
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await mock.stop();
    built.remove();
  });

  beforeEach(async () => {
    await browser.page.goto('about:blank');
    await browser.page.goto(`${address}#/tail`);
    await browser.page.locator('.light.on').waitFor();
    await expect.poll(() => mock.openTails).toBe(1);
  });

  const lastRow = () => browser.page.locator('.row').last();
  const count = () => browser.page.locator('.list').getAttribute('aria-rowcount');

  it('follows new records at the end of the list', async () => {
    mock.append(60);
    await expect.poll(count).toBe('61');
    await expect.poll(() => lastRow().getAttribute('data-row')).toBe('59');
    mock.append(5);
    await expect.poll(() => lastRow().getAttribute('data-row')).toBe('64');
    expect(await browser.page.locator('.search-count').textContent()).toMatch(/Live.*records\/s/);
  });

  it('pauses when one scrolls, counts what is new, and continues at the end', async () => {
    const { page } = browser;
    mock.append(80);
    await expect.poll(() => lastRow().getAttribute('data-row')).toBe('79');
    await page.locator('.list').hover();
    await page.mouse.wheel(0, -400);
    await page.locator('.light.paused').waitFor();
    mock.append(137);
    await page.getByRole('button', { name: '+137 new' }).waitFor();
    expect(await count()).toBe('81');
    await page.getByRole('button', { name: '+137 new' }).click();
    await page.locator('.light.on').waitFor();
    await expect.poll(count).toBe('218');
    await expect.poll(() => lastRow().getAttribute('data-row')).toBe('216');
  });

  it('pauses for a selection, a record that is opened, and the key t', async () => {
    const { page } = browser;
    mock.append(10);
    await expect.poll(count).toBe('11');
    await page
      .locator('.row .cell.rest')
      .nth(3)
      .evaluate((cell) => getSelection()?.selectAllChildren(cell));
    await page.locator('.light.paused').waitFor();
    await page.evaluate(() => getSelection()?.removeAllRanges());
    await page.keyboard.press('t');
    await page.locator('.light.on').waitFor();
    await page.locator('.row').nth(4).click();
    await page.locator('.detail').waitFor();
    await page.locator('.light.paused').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.locator('.light.on').waitFor();
  });

  it('leaves nothing out when the connection breaks, and shows no record twice', async () => {
    mock.append(3);
    await expect.poll(count).toBe('4');
    mock.breakTails();
    await browser.page.locator('.light.off').waitFor();
    mock.append(4);
    await browser.page.locator('.light.on').waitFor();
    await expect.poll(count).toBe('8');
    expect(mock.tailStarts.at(-1)).toMatch(/^\d+$/);
    // The browser reports the broken request.
    browser.problems.length = 0;
  });

  it('says when records come too fast to show', async () => {
    mock.append(1);
    mock.sendSkipped(1234);
    await browser.page.getByText('Sampled: 1,234 records came too fast to show.').waitFor();
  });

  it('has the filter in the address, and starts again for another one', async () => {
    const { page } = browser;
    mock.append(2);
    await expect.poll(count).toBe('3');
    const input = page.getByRole('combobox', { name: 'Filter' });
    await input.fill('timeout');
    await input.press('Enter');
    await expect
      .poll(() => mock.requests.filter((each) => each.includes('/v1/logs/tail?text=timeout')).length)
      .toBe(1);
    await page.getByRole('heading', { name: 'Waiting for new records' }).waitFor();
    expect([browser.problems, browser.foreign]).toEqual([[], []]);
  });
});
