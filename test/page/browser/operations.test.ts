import { beforeEach, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/browser.ts';
import { pageSuite } from '../support/page-suite.ts';

describe.skipIf(!hasChromium)('filters and status in Chromium', { timeout: 120_000 }, () => {
  const suite = pageSuite({ records: 50 });
  const dialog = () => suite().page.getByRole('dialog');
  const visit = async (hash: string) => {
    await suite().page.goto('about:blank');
    await suite().page.goto(`${suite().address}${hash}`);
  };
  const signIn = async () => {
    suite().mock.token = 'right';
    await visit('#/status');
    await dialog().getByLabel('Token of the aggregator').fill('right');
    await dialog().getByRole('button', { name: 'Sign in' }).click();
    await dialog().waitFor({ state: 'detached' });
    // The browser reports the requests before the sign-in.
    suite().problems.length = 0;
  };

  beforeEach(() => {
    suite().mock.token = undefined;
    suite().mock.operations.fill();
  });

  it('shows the path of the records with numbers, problems and losses', async () => {
    const { page } = suite();
    await visit('#/status');
    await page.getByRole('list', { name: 'The path of the records' }).waitFor();
    await page.getByText('The emitter gelf cannot deliver: connection refused').waitFor();
    const emitter = page.getByRole('row', { name: /^gelf retrying/ });
    await emitter.getByText('not at this rate').waitFor();
    const old = page.getByRole('row', { name: /^db-1/ });
    expect(await old.getByRole('cell').nth(5).textContent()).toBe('-');
    await page
      .getByRole('row', { name: /udp:\/\/0\.0\.0\.0:514/ })
      .getByText('17')
      .waitFor();
    await page.getByText('gelf: connection refused').waitFor();
  });

  it('explains how a collector sees a file', async () => {
    const { page } = suite();
    await visit('#/status');
    const form = page.getByRole('form', { name: 'Explain a file' });
    expect(await form.getByLabel('Collector').locator('option').allTextContents()).toEqual(['web-1']);
    await form.getByLabel('Explain a file').fill('/var/log/<b>app</b>.log');
    await form.getByRole('button', { name: 'Explain' }).click();
    const explanation = page.locator('.file-explanation');
    await explanation.getByText('3 KiB (3,072 bytes)').waitFor();
    await explanation.getByRole('heading', { name: '/var/log/<b>app</b>.log on web-1' }).waitFor();
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });

  it('stays signed in when the session from before the sign-in arrives after it', async () => {
    const { page, mock } = suite();
    mock.token = 'right';
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let requests = 0;
    await page.route('**/v1/session', async (route) => {
      if (route.request().method() !== 'GET' || ++requests > 1) return await route.continue();
      const response = await route.fetch();
      await released;
      await route.fulfill({ response });
    });
    await visit('#/status');
    await dialog().getByLabel('Token of the aggregator').fill('right');
    await dialog().getByRole('button', { name: 'Sign in' }).click();
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    const late = page.waitForResponse((answer) => answer.url().endsWith('/v1/session'));
    release();
    await (await late).finished();
    // The next refresh: the page has processed the late answer before.
    await page.waitForResponse((answer) => answer.url().endsWith('/v1/status'));
    await page.waitForResponse((answer) => answer.url().endsWith('/v1/status'));
    expect(await dialog().count()).toBe(0);
    await page.unroute('**/v1/session');
    suite().problems.length = 0;
  });

  it('says how to get access to dead letters and the playground without a token', async () => {
    const { page } = suite();
    await visit('#/status');
    await page.getByText('They are shown here only to clients with a token').waitFor();
    await visit('#/filters');
    await page.getByText('so it needs a token').waitFor();
    expect(await page.getByRole('button', { name: 'Run over the newest records' }).isDisabled()).toBe(true);
  });

  it('shows, replays and discards dead letters', async () => {
    const { page, mock } = suite();
    await signIn();
    await page.getByRole('button', { name: 'Show' }).first().click();
    await dialog().getByText('{"msg": "<b>second</b>"}').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Replay', exact: true }).first().click();
    await page.getByRole('button', { name: 'Replaying' }).waitFor();
    await page.getByRole('button', { name: 'Discard', exact: true }).first().click();
    await dialog().getByRole('heading', { name: 'Discard 10 records?' }).waitFor();
    await dialog().getByRole('button', { name: 'Discard' }).click();
    await expect.poll(() => mock.operations.letters.length).toBe(2);
    await page.getByRole('button', { name: 'Discard all' }).click();
    await dialog().getByRole('button', { name: 'Discard' }).click();
    await page.getByText('No emitter has rejected records.').waitFor();
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });

  it('runs a filter, marks the lines that ran, and shows what changed', async () => {
    const { page } = suite();
    await signIn();
    await visit('#/filters');
    const editor = page.getByRole('textbox', { name: 'Filter' });
    await page
      .getByRole('row', { name: /web\.filter:4/ })
      .getByText('<i>twelve</i>')
      .waitFor();
    await editor.press('Control+Enter');
    await page.locator('p', { hasText: '2 records, 1 dropped' }).waitFor();
    await page.locator('.changes ins').first().waitFor();
    expect(await page.locator('.editor-gutter .ran').allTextContents()).toEqual(['2', '3', '5', '6']);
    await editor.fill('tags += broken');
    await page.getByRole('button', { name: 'Run over the newest records' }).click();
    await page.getByText('Line 1, column 9: expected a value').waitFor();
    expect(await page.locator('.editor-gutter .broken').allTextContents()).toEqual(['1']);
    expect([suite().problems, suite().foreign]).toEqual([[], []]);
  });
});
