import { describe, expect, it } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { pageSuite } from '../support/page-suite.ts';

describe.skipIf(!hasChromium)('the page in Chromium', () => {
  const suite = pageSuite({ records: 300 });

  it('signs in with the token, and shows why a token is refused', async () => {
    const { page } = suite();
    suite().mock.token = 'right';
    await page.goto(suite().address);
    const dialog = page.getByRole('dialog', { name: 'Sign in' });
    await dialog.getByLabel('Token of the aggregator').fill('wrong');
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await dialog.getByText('The token is wrong.').waitFor();
    await dialog.getByLabel('Token of the aggregator').fill('right');
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.row').first().waitFor();
    await dialog.waitFor({ state: 'detached' });
    suite().mock.token = undefined;
  });

  it('says that the aggregator does not answer, keeps its rows, and continues by itself', async () => {
    const { page } = suite();
    await page.goto('about:blank');
    await page.goto(suite().address);
    await page.locator('.row').first().waitFor();
    await suite().mock.stop();
    await page.keyboard.press('r');
    await page.getByText('The aggregator does not answer.').first().waitFor();
    await suite().mock.restart(suite().address);
    await page.locator('.banner').waitFor({ state: 'detached' });
    await page.locator('.row').first().waitFor();
  });

  it('changes the theme and keeps it', async () => {
    const { page } = suite();
    await page.goto(suite().address);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole('button', { name: 'Theme: system' }).click();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    await expect.poll(ground).not.toBe(light);
    await page.reload();
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    expect(await ground()).not.toBe(light);
    await page.getByRole('button', { name: 'Theme: dark' }).click();
  });

  it('ignores single letters when they are switched off', async () => {
    const { page } = suite();
    await page.goto('about:blank');
    await page.goto(suite().address);
    await page.locator('.row').first().waitFor();
    await page.keyboard.press('?');
    await page.getByLabel('Single letters are shortcuts').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('t');
    await page.keyboard.press('ArrowDown');
    await page.locator('[data-row="0"]:focus').waitFor();
    expect(await page.evaluate(() => location.hash)).not.toContain('tail');
    await page.getByRole('button', { name: 'Keys and help' }).click();
    await page.getByLabel('Single letters are shortcuts').check();
    await page.keyboard.press('Escape');
  });

  it('shows a page for an unknown address', async () => {
    await suite().page.goto(`${suite().address}#/nothing-here`);
    await suite().page.getByText('There is no page with this address.').waitFor();
  });
});
