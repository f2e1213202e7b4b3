import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { searchRequest } from '../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { nastyText } from '../../support/nasty-text.ts';
import { describeEachStore, runsIn } from '../../support/stores.ts';

const SHADOWED = {
  status_code: 500,
  host: 'app-1',
  service: 'checkout',
  source: 'queue',
  stream: 'stderr',
  format: 'v2',
  position: 3,
  'service.name': 'shop',
  'host.name': 'web-7',
  'http.response.status_code': 'abc',
  response_bsize: 200.5,
  'order.id': 1,
  order: { id: 2, list: [1, 'x'] },
  none: null,
  yes: true,
  large: 1e21,
  'a b': 'blank',
  'it\'s "quoted"': 'q',
  größe: 'ä',
};

const asName = (name: string) => `[${JSON.stringify(name)}]`;
const asShown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

describeEachStore('an attribute', (openStore) => {
  test('is found by the name and the value that a client sees', { timeout: 120_000 }, async () => {
    const { database, write } = await openStore();
    const logs = createLogSearch(database, { clock: new FakeClock() });
    await write([jsonBatch([{ msg: 'shadow', ...SHADOWED }, { msg: 'other' }])]);
    for (const [name, value] of Object.entries(SHADOWED)) {
      for (const property of [name, asName(name), `attributes.${name}`]) {
        const request = searchRequest.parse({ where: [{ property, value: asShown(value) }] });
        const { entries } = await logs.search(request);
        expect([property, entries.map(({ body }) => body)]).toEqual([property, ['shadow']]);
      }
    }
    const nested = searchRequest.parse({ where: [{ property: 'order.id', value: '2' }] });
    expect((await logs.search(nested)).entries).toHaveLength(1);
  });

  test('of any name and any value is found by both', { timeout: 120_000 }, async () => {
    const { database, write } = await openStore();
    const logs = createLogSearch(database, { clock: new FakeClock() });
    const value = fc.oneof(nastyText(60), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(nastyText(40), value, async (key, given) => {
        const batch = jsonBatch([{ msg: 'm', [`k${key}`]: given }]);
        await write([batch]);
        const { entries } = await logs.search(
          searchRequest.parse({ where: [{ property: 'stream', value: batch.stream }] }),
        );
        const [name = '', shown] =
          Object.entries(entries[0]?.attributes ?? {}).find(([each]) => each.startsWith('k')) ?? [];
        const where = [
          { property: asName(name), value: asShown(shown) },
          { property: 'stream', value: batch.stream },
        ];
        expect((await logs.search(searchRequest.parse({ where }))).entries).toHaveLength(1);
      }),
      { numRuns: runsIn({ database }, 30) },
    );
  });
});
