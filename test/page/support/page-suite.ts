import { afterAll, beforeAll } from 'vitest';
import { type BrowserOptions, openBrowser, type TestBrowser } from './browser.ts';
import { type BuiltPage, buildPage } from './built-page.ts';
import { MockAggregator } from './mock-aggregator.ts';

export interface PageSuite extends TestBrowser {
  readonly mock: MockAggregator;
  readonly address: string;
}

const START_MS = 120_000;

/** Builds the page, serves it with a mock of the aggregator, and opens a browser, for the tests of one `describe`. */
export function pageSuite({
  records = 3000,
  ...options
}: BrowserOptions & { readonly records?: number } = {}): () => PageSuite {
  let built: BuiltPage;
  let suite: PageSuite;
  beforeAll(async () => {
    built = buildPage();
    const mock = new MockAggregator({ page: built.directory, records });
    const address = await mock.start();
    suite = { ...(await openBrowser(address, options)), mock, address };
  }, START_MS);
  afterAll(async () => {
    await suite.close();
    await suite.mock.stop();
    built.remove();
  });
  return () => suite;
}
