import { afterEach, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { pageSuite } from '../support/page-suite.ts';

describe.skipIf(!hasChromium)('a record in Chromium', () => {
  const suite = pageSuite();

  afterEach(() => {
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });

  const hashOf = (position: number) =>
    `#/r/${encodeURIComponent(suite().mock.records[0]?.stream ?? '')}/${position}`;
  const positions = () =>
    suite()
      .page.locator('.row')
      .evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.row)));

  it('is reached from the search with its neighbours, fields, bytes and explanation', async () => {
    const { page } = suite();
    await page.goto(suite().address);
    await page.locator('[data-row="0"]').waitFor();
    await page.locator('[data-row="20"]').click();
    await page.keyboard.press('c');
    await page.locator('.row.marked').waitFor();
    expect(await page.evaluate(() => decodeURIComponent(location.hash))).toMatch(/\/2980$/);
    await page.getByRole('heading', { name: 'Why it was parsed so' }).waitFor();
    await page.getByText('The first bytes are a JSON object').waitFor();
    expect(await page.locator('.raw').textContent()).toContain('"http.request.method"');
    await page.getByRole('button', { name: 'Hex' }).click();
    expect(await page.locator('.raw').textContent()).toMatch(/^00000000 {2}7b 22 6d/);
    await page.goBack();
    await page.getByRole('search').waitFor();
  });

  it('shows its neighbours in the middle, and loads more of them in both directions', async () => {
    const { page } = suite();
    await page.goto(`${suite().address}${hashOf(1500)}`);
    const marked = page.locator('.row.marked');
    await marked.waitFor();
    const box = await marked.boundingBox();
    expect(box?.y).toBeGreaterThan(200);
    expect(box?.y).toBeLessThan(650);
    const text = await marked.textContent();
    for (let scroll = 0; scroll < 3; scroll++) {
      const before = suite().mock.requests.length;
      await page.locator('.list').evaluate((list) => {
        list.scrollTop = 0;
      });
      await expect
        .poll(() =>
          suite()
            .mock.requests.slice(before)
            .some((each) => each.includes('direction=before')),
        )
        .toBe(true);
    }
    await page.locator('.list').evaluate((list) => {
      list.scrollTop = list.scrollHeight;
    });
    await expect.poll(() => suite().mock.requests.at(-1)).toContain('direction=after');
    await page.reload();
    await marked.waitFor();
    expect(await marked.textContent()).toBe(text);
  });

  it('keeps the rows in view in their place when older ones are loaded above', async () => {
    const { page } = suite();
    await page.goto('about:blank');
    await page.goto(`${suite().address}${hashOf(1200)}`);
    const marked = page.locator('.row.marked');
    await marked.waitFor();
    const before = (await marked.boundingBox())?.y;
    const count = suite().mock.requests.length;
    await page.getByRole('button', { name: 'Load older' }).click();
    await expect
      .poll(() =>
        suite()
          .mock.requests.slice(count)
          .some((each) => each.includes('direction=before')),
      )
      .toBe(true);
    await expect.poll(async () => page.locator('.list').getAttribute('aria-rowcount')).not.toBe('0');
    await expect
      .poll(async () => Math.round((await marked.boundingBox())?.y ?? 0))
      .toBe(Math.round(before ?? -1));
  });

  it('searches among its neighbours', async () => {
    const { page } = suite();
    await page.goto('about:blank');
    await page.goto(`${suite().address}${hashOf(1500)}`);
    await page.locator('.row.marked').waitFor();
    const input = page.getByRole('combobox', { name: 'Search in this stream' });
    await input.fill('upstream timed out');
    await input.press('Enter');
    await expect
      .poll(async () => {
        const texts = await page.locator('.row').allTextContents();
        return texts.length > 3 && texts.every((text) => text.includes('upstream timed out'));
      })
      .toBe(true);
    expect((await positions()).length).toBeGreaterThan(3);
    await page.locator('.row').first().click();
    await page.locator('.detail').waitFor();
  });

  it('says what to do for a wrong address', async () => {
    await suite().page.goto(`${suite().address}#/r/only-a-stream`);
    await suite().page.getByRole('heading', { name: 'This is not the address of a record.' }).waitFor();
  });
});
