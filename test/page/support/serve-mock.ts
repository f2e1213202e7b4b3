import { buildPage } from './built-page.ts';
import { MockAggregator } from './mock-aggregator.ts';

/** For working on the page without an aggregator: prints the address, and stores a record now and then. */
const RECORDS_PER_SECOND = 5;
const mock = new MockAggregator({ page: buildPage().directory });
console.log(await mock.start());
setInterval(() => mock.append(1), 1000 / RECORDS_PER_SECOND);
