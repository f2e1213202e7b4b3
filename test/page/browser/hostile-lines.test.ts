import { beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { HOSTILE_BODIES } from '../support/mock-records.ts';
import { pageSuite } from '../support/page-suite.ts';

describe.skipIf(!hasChromium)('hostile lines in Chromium', () => {
  const suite = pageSuite();
  beforeAll(async () => {
    const { page, address } = suite();
    await page.goto(`${address}#/search?sev=warn`);
    await page.locator('.row').first().waitFor();
  });

  const shown = async (text: string) => {
    const { page } = suite();
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
    expect(await suite().page.evaluate('window.hacked')).toBeUndefined();
    expect(await suite().page.locator('.row img, .row script, .detail img').count()).toBe(0);
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });

  it('show bidirectional, zero-width and control characters as escapes', async () => {
    expect((await shown('gnp.exe')).cell).toBe('user=\\u202egnp.exe\\u202c admin\\u200b');
    expect((await shown('bell')).cell).toBe('nul \\x00 bell \\x07 escape \\e]0;title\\x07 and \\e[2J');
  });

  it('keep one line in the list, whatever line breaks they have', async () => {
    const { cell } = await shown('fake second');
    expect(cell).toContain('first line\\n2026-01-01T00:00:00Z FATAL');
    const height = await suite()
      .page.locator('[data-row="0"]')
      .evaluate((row) => row.getBoundingClientRect().height);
    expect(height).toBe(24);
  });

  it('have the colours of a terminal as classes, and no concealed text', async () => {
    const { cell } = await shown('concealed');
    expect(cell).toBe('red bold green plain concealed');
    expect(await suite().page.locator('[data-row="0"] .ansi-31').textContent()).toBe('red');
    expect(await suite().page.locator('[style*="color"]').count()).toBe(0);
  });

  it('are cut at 4 KiB until all of them is requested', async () => {
    const { page } = suite();
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
