import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { pageSuite } from '../support/page-suite.ts';

describe.skipIf(!hasChromium)('the search in Chromium', () => {
  const suite = pageSuite();

  beforeEach(async () => {
    await suite().page.goto('about:blank');
    suite().problems.length = 0;
  });

  afterEach(() => {
    expect(suite().problems).toEqual([]);
    expect(suite().foreign).toEqual([]);
  });

  const open = async (hash: string) => {
    await suite().page.goto(`${suite().address}${hash}`);
    await suite().page.locator('.row').first().waitFor();
  };
  const parameter = (name: string) =>
    suite().page.evaluate((each) => new URLSearchParams(location.hash.split('?')[1] ?? '').get(each), name);

  it('shows the found records, counts, fields, and more rows when one scrolls', async () => {
    await open('');
    const { page } = suite();
    await page.locator('.search-count b', { hasText: '3,000' }).waitFor();
    expect(await page.locator('.histogram rect').count()).toBeGreaterThan(50);
    await page.locator('.facet-value', { hasText: 'web-2' }).waitFor();
    expect(await page.locator('.row').count()).toBeLessThan(100);
    await page.locator('.list').evaluate((list) => {
      list.scrollTop = list.scrollHeight;
    });
    await page.locator('.list[aria-rowcount="3001"]').or(page.locator('[data-row="599"]')).first().waitFor();
  });

  it('cuts a path in the list of fields before its last part', async () => {
    await open('');
    const text = suite().page.locator('.facet-value[data-property="source"] .facet-text').first();
    const { end, beyond } = await text.evaluate((each) => {
      each.style.maxWidth = '90px';
      const range = document.createRange();
      range.selectNodeContents(each);
      if (each.lastChild !== null) range.setStartBefore(each.lastChild);
      const excess = range.getBoundingClientRect().right - each.getBoundingClientRect().right;
      return { end: range.toString(), beyond: Math.max(0, Math.floor(excess)) };
    });
    expect([end, beyond]).toEqual(['/app.log', 0]);
  });

  it('searches for what is typed, completes it, and goes back', async () => {
    await open('');
    const { page } = suite();
    await page.keyboard.press('/');
    await page.keyboard.type('serv');
    await page.getByRole('option', { name: 'service.name' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.type('==');
    await page.keyboard.type(' ');
    await page.getByRole('option', { name: 'catalog' }).click();
    await page.keyboard.press('Enter');
    await page.locator('.search-count b', { hasText: '750' }).waitFor();
    expect(await parameter('q')).toBe('service.name == "catalog"');
    await page.goBack();
    await page.locator('.search-count b', { hasText: '3,000' }).waitFor();
    expect(await page.getByRole('combobox', { name: 'Query' }).inputValue()).toBe('');
  });

  it('shows an error under its place', async () => {
    await open('');
    const { page } = suite();
    await page.getByRole('combobox', { name: 'Query' }).fill('timeout and status_code >=');
    const mark = page.locator('.query-mark');
    await mark.waitFor();
    expect(await mark.textContent()).toBe(`${' '.repeat('timeout and status_code >='.length)}^`);
    expect(await page.getByRole('combobox', { name: 'Query' }).getAttribute('aria-invalid')).toBe('true');
    await page.keyboard.press('Enter');
    expect(await parameter('q')).toBeNull();
  });

  it('opens a record in place, and includes and excludes its values', async () => {
    await open('');
    const { page } = suite();
    await page.locator('[data-row="3"]').click();
    await page.locator('.detail').waitFor();
    expect(await parameter('open')).toMatch(/:2997$/);
    await page.getByRole('button', { name: 'Include http.response.status_code 404' }).click();
    await page.locator('.search-count b', { hasText: /^1\d\d$/ }).waitFor();
    expect(await parameter('q')).toBe('http.response.status_code == 404');
    await page.locator('[data-row="0"]').click();
    await page.getByRole('button', { name: 'Exclude host.name' }).first().click();
    expect(await parameter('q')).toMatch(/^http\.response\.status_code == 404 and host\.name != "web-\d"$/);
  });

  it('includes a value of the fields, and takes it back by a second click', async () => {
    await open('');
    const { page } = suite();
    const value = page.locator('.facet-choice', { hasText: 'billing' }).first();
    await value.click();
    await page.locator('.search-count b', { hasText: '750' }).waitFor();
    expect(await parameter('q')).toBe('service.name == "billing"');
    await page.locator('.facet-choice[aria-pressed="true"]', { hasText: 'billing' }).click();
    await page.locator('.search-count b', { hasText: '3,000' }).waitFor();
  });

  it('zooms into the bars that are dragged over', async () => {
    await open('');
    const { page } = suite();
    const chart = page.getByRole('slider', { name: 'Records over time' });
    await chart.waitFor();
    const box = await chart.boundingBox();
    if (box === null) throw new Error('the chart has no place');
    await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 });
    await page.locator('.brush').waitFor();
    await page.mouse.up();
    await page.locator('.search-count b', { hasText: /^\d{3}$/ }).waitFor();
    const [from, to] = [await parameter('from'), await parameter('to')];
    const hours = (Date.parse(to ?? '') - Date.parse(from ?? '')) / 3_600_000;
    expect(hours).toBeGreaterThan(1.5);
    expect(hours).toBeLessThan(4);
  });

  it('keeps chosen and sized columns in the address', async () => {
    await open('');
    const { page } = suite();
    await page.getByRole('button', { name: 'Column url.path' }).first().click();
    await page.getByRole('columnheader', { name: 'url.path' }).waitFor();
    await page.getByRole('separator', { name: 'Width of url.path' }).focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => parameter('cols')).toContain('url.path:156,body');
    await page.reload();
    await page.getByRole('columnheader', { name: 'url.path' }).waitFor();
  });

  it('copies JSON, text and a link with fixed times', async () => {
    await open('#/search?from=1h');
    const { page } = suite();
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await page.locator('[data-row="1"]').click();
    await page.getByRole('button', { name: 'JSON', exact: true }).click();
    await expect.poll(async () => (await clipboard()).includes('"position": 2999')).toBe(true);
    await page.locator('.detail').getByRole('button', { name: 'Text', exact: true }).click();
    await expect.poll(clipboard).toMatch(/ INFO web-2 billing GET /);
    await page.keyboard.press('Escape');
    await page.keyboard.press('y');
    await expect.poll(clipboard).toMatch(/#\/search\?from=\d{4}-\d\d-\d\dT[\d:.]+Z&to=\d{4}-/);
  });

  it('offers the export of everything that was found', async () => {
    await open('#/search?q=host.name+%3D%3D+%22web-1%22&sev=warn');
    const { page } = suite();
    await page.getByRole('button', { name: 'Export' }).click();
    const link = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
    expect(link).toBe('v1/logs/export?where=host.name+%3D%3D+%22web-1%22&severity=warn&from=24h&format=csv');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('works by keyboard only', async () => {
    await open('');
    const { page } = suite();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.locator('[data-row="2"]:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.detail').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.detail').waitFor({ state: 'detached' });
    await page.locator('[data-row="2"]:focus').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('x');
    await expect.poll(() => parameter('q')).toBe('host.name != "web-3"');
    await page.keyboard.press('[');
    await expect.poll(() => parameter('to')).not.toBeNull();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('t');
    await expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#\/tail\?q=/);
  });

  it('changes between local times and UTC', async () => {
    await open('');
    const { page } = suite();
    const time = page.locator('[data-row="0"] time');
    const iso = (await time.getAttribute('datetime')) ?? '';
    expect(await time.textContent()).not.toBe(iso.slice(0, 23).replace('T', ' '));
    await page.getByRole('button', { name: /Local/ }).click();
    expect(await time.textContent()).toBe(iso.slice(0, 23).replace('T', ' '));
    expect(await parameter('utc')).toBe('1');
    await page.getByRole('button', { name: /UTC/ }).click();
  });

  it('says what to do when nothing is found', async () => {
    await suite().page.goto(`${suite().address}#/search?q=nothing-like-this`);
    await suite().page.getByRole('heading', { name: 'No records found' }).waitFor();
    await suite().page.locator('.state-actions').getByText('Clear the query').click();
    await suite().page.locator('.row').first().waitFor();
  });
});
