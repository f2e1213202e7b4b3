import { beforeEach, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { pageSuite } from '../support/page-suite.ts';

describe.skipIf(!hasChromium)('the live tail in Chromium', () => {
  const suite = pageSuite({ records: 200 });

  beforeEach(async () => {
    await suite().page.goto('about:blank');
    await suite().page.goto(`${suite().address}#/tail`);
    await suite().page.locator('.light.on').waitFor();
    await expect.poll(() => suite().mock.openTails).toBe(1);
  });

  const lastRow = () => suite().page.locator('.row').last();
  const count = () => suite().page.locator('.list').getAttribute('aria-rowcount');

  it('follows new records at the end of the list', async () => {
    suite().mock.append(60);
    await expect.poll(count).toBe('61');
    await expect.poll(() => lastRow().getAttribute('data-row')).toBe('59');
    suite().mock.append(5);
    await expect.poll(() => lastRow().getAttribute('data-row')).toBe('64');
    expect(await suite().page.locator('.search-count').textContent()).toMatch(/Live.*records\/s/);
  });

  it('pauses when one scrolls, counts what is new, and continues at the end', async () => {
    const { page } = suite();
    suite().mock.append(80);
    await expect.poll(() => lastRow().getAttribute('data-row')).toBe('79');
    await page.locator('.list').hover();
    await page.mouse.wheel(0, -400);
    await page.locator('.light.paused').waitFor();
    suite().mock.append(137);
    await page.getByRole('button', { name: '+137 new' }).waitFor();
    expect(await count()).toBe('81');
    await page.getByRole('button', { name: '+137 new' }).click();
    await page.locator('.light.on').waitFor();
    await expect.poll(count).toBe('218');
    await expect.poll(() => lastRow().getAttribute('data-row')).toBe('216');
  });

  it('pauses for a selection, a record that is opened, and the key t', async () => {
    const { page } = suite();
    suite().mock.append(10);
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
    suite().mock.append(3);
    await expect.poll(count).toBe('4');
    suite().mock.breakTails();
    await suite().page.locator('.light.off').waitFor();
    suite().mock.append(4);
    await suite().page.locator('.light.on').waitFor();
    await expect.poll(count).toBe('8');
    expect(suite().mock.tailStarts.at(-1)).toMatch(/^\d+$/);
    // The browser reports the broken request.
    suite().problems.length = 0;
  });

  it('says when records come too fast to show', async () => {
    suite().mock.append(1);
    suite().mock.sendSkipped(1234);
    await suite().page.getByText('Sampled: 1,234 records came too fast to show.').waitFor();
  });

  it('has the filter in the address, and starts again for another one', async () => {
    const { page } = suite();
    suite().mock.append(2);
    await expect.poll(count).toBe('3');
    const input = page.getByRole('combobox', { name: 'Filter' });
    await input.fill('timeout');
    await input.press('Enter');
    await expect
      .poll(() => suite().mock.requests.filter((each) => each.includes('/v1/logs/tail?text=timeout')).length)
      .toBe(1);
    await page.getByRole('heading', { name: 'Waiting for new records' }).waitFor();
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });
});
