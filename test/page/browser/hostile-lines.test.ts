import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openBrowser, type TestBrowser } from '../support/browser.ts';
import { type BuiltPage, buildPage } from '../support/built-page.ts';
import { MockAggregator } from '../support/mock-aggregator.ts';
import { HOSTILE_BODIES } from '../support/mock-records.ts';

describe.skipIf(!hasChromium)('hostile lines in Chromium', () => {
  let built: BuiltPage;
  let mock: MockAggregator;
  let browser: TestBrowser;

  beforeAll(async () => {
    built = buildPage();
    mock = new MockAggregator({ page: built.directory });
    const address = await mock.start();
    browser = await openBrowser(address);
    await browser.page.goto(`${address}#/search?sev=warn`);
    await browser.page.locator('.row').first().waitFor();
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await mock.stop();
    built.remove();
  });

  const shown = async (text: string) => {
    const { page } = browser;
    const input = page.getByRole('combobox', { name: 'Query' });
    await input.fill(JSON.stringify(text));
    await input.press('Enter');
    await page.locator('.search-count b', { hasText: /^\d$/ }).waitFor();
    await page.locator('[data-row="0"]').click();
    await page.locator('.detail-body').waitFor();
    const cells = await page.locator('[data-row="0"] .cell.rest').textContent();
    const body = await page.locator('.detail-body').textContent();
    await page.keyboard.press('Escape');
    return { cell: cells ?? '', body: body ?? '' };
  };

  it('stay text: no element, script or request comes from them', async () => {
    expect((await shown('<img')).cell).toBe(HOSTILE_BODIES[0]);
    expect((await shown('svg/onload')).cell).toBe(HOSTILE_BODIES[6]);
    expect(await browser.page.evaluate('window.hacked')).toBeUndefined();
    expect(await browser.page.locator('.row img, .row script, .detail img').count()).toBe(0);
    expect([browser.problems, browser.foreign]).toEqual([[], []]);
  });

  it('show bidirectional, zero-width and control characters as escapes', async () => {
    expect((await shown('gnp.exe')).cell).toBe('user=\\u202egnp.exe\\u202c admin\\u200b');
    expect((await shown('bell')).cell).toBe('nul \\x00 bell \\x07 escape \\e]0;title\\x07 and \\e[2J');
  });

  it('keep one line in the list, whatever line breaks they have', async () => {
    const { cell } = await shown('fake second');
    expect(cell).toContain('first line\\n2026-01-01T00:00:00Z FATAL');
    const height = await browser.page
      .locator('[data-row="0"]')
      .evaluate((row) => row.getBoundingClientRect().height);
    expect(height).toBe(24);
  });

  it('have the colours of a terminal as classes, and no concealed text', async () => {
    const { cell } = await shown('concealed');
    expect(cell).toBe('red bold green plain concealed');
    expect(await browser.page.locator('[data-row="0"] .ansi-31').textContent()).toBe('red');
    expect(await browser.page.locator('[style*="color"]').count()).toBe(0);
  });

  it('are cut at 4 KiB until all of them is requested', async () => {
    const { page } = browser;
    const { cell, body } = await shown('long xxx');
    expect(cell.length).toBe(600);
    expect(body.length).toBeLessThan(5000);
    await page.locator('[data-row="0"]').click();
    await page.getByRole('button', { name: /Show all \(1 MiB\)/ }).click();
    await expect
      .poll(async () => (await page.locator('.detail-body').textContent())?.length)
      .toBe(1024 * 1024 + 9);
  });
});
