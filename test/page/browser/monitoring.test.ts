import { beforeEach, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { pageSuite } from '../support/page-suite.ts';

describe.skipIf(!hasChromium)('metrics, alerts and groups in Chromium', { timeout: 120_000 }, () => {
  const suite = pageSuite({ records: 50 });
  const dialog = () => suite().page.getByRole('dialog');
  const visit = async (hash: string) => {
    await suite().page.goto('about:blank');
    await suite().page.goto(`${suite().address}${hash}`);
  };
  const requests = (text: string) => suite().mock.requests.filter((each) => each.startsWith(text));

  beforeEach(() => suite().mock.monitoring.clear());

  it('creates a metric with a preview, changes it, and deletes it', async () => {
    const { page } = suite();
    await visit('#/metrics');
    await page.getByRole('heading', { name: 'There are no metrics yet.' }).waitFor();
    await page.keyboard.press('n');
    await dialog().getByLabel('Name').fill('slow');
    await dialog().getByLabel('Statistic').selectOption('p95');
    await dialog().getByLabel('Property').fill('duration');
    await dialog().getByRole('img', { name: 'Preview' }).waitFor();
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'slow' }).click();
    await page.getByRole('heading', { name: 'p95 of duration' }).waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog().getByLabel('Statistic').selectOption('max');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'max of duration' }).waitFor();
    expect(requests('PUT /v1/metrics/slow')).toHaveLength(1);
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'There are no metrics yet.' }).waitFor();
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });

  it('shows the problem of a field beside it, and keeps the form', async () => {
    await visit('#/metrics?new=1');
    await dialog().getByLabel('Name').fill('No Name');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().getByText('expected a lower-case letter').waitFor();
    expect(await dialog().getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    // The browser reports the refused request.
    suite().problems.length = 0;
  });

  it('creates an alert on a metric, silences it, and ends the silence', async () => {
    const { page, mock } = suite();
    mock.monitoring.fill();
    await visit('#/metrics/requests');
    await page.getByRole('link', { name: 'New alert' }).click();
    await dialog().getByLabel('Name').fill('busy');
    await dialog().getByRole('spinbutton', { name: 'Level' }).fill('50');
    await dialog().getByText('The alert would have fired once.').waitFor();
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'busy' }).click();
    await page.getByRole('button', { name: 'Silence' }).click();
    await dialog().getByLabel('Reason').fill('A <b>new</b> disk');
    await dialog().getByRole('button', { name: 'Silence' }).click();
    await page.getByText('A <b>new</b> disk').waitFor();
    await page.getByRole('button', { name: 'End the silence' }).click();
    await page.getByText('Silenced until').waitFor({ state: 'detached' });
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });

  it('lists firing alerts first, with a word for each state', async () => {
    const { page, mock } = suite();
    mock.monitoring.fill();
    await visit('#/alerts');
    await page.locator('tbody tr').nth(2).waitFor();
    const states = await page.locator('tbody .alert-state').allTextContents();
    expect(states).toEqual(['firing', 'no data', 'ok']);
  });

  it('creates a group that a search uses', async () => {
    const { page } = suite();
    await visit('#/groups?new=1');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'hidden' });
    await page.getByRole('heading', { name: 'There are no log groups yet.' }).waitFor();
    await page.keyboard.press('n');
    await dialog().getByLabel('Name').fill('shop');
    await dialog().getByLabel('Condition').fill('service == "shop"');
    await dialog().getByRole('button', { name: 'Create' }).click();
    const search = page.locator('tbody').getByRole('link', { name: 'Search' });
    expect(await search.getAttribute('href')).toBe('#/search?q=group(%22shop%22)');
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'There are no log groups yet.' }).waitFor();
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });
});
