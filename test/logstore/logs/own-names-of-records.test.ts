import { expect, test } from 'vitest';
import { RECORD_PROPERTIES } from '../../../src/expressions/property.ts';
import { ACCESS_LOG_ALIASES } from '../../../src/formats/access-log-aliases.ts';
import { ATTRIBUTE_COLUMNS } from '../../../src/formats/attribute-columns.ts';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { searchRequest } from '../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { describeEachStore } from '../../support/stores.ts';

/** The format `json` reads these as the time, the severity and the text of a record. */
const FIELDS = ['time', 'ts', 'severity', 'severity_number', 'severity_text', 'body'];
const NAMES = [
  ...new Set([
    ...RECORD_PROPERTIES,
    ...ACCESS_LOG_ALIASES.map(({ alias }) => alias),
    ...ATTRIBUTE_COLUMNS.map(({ attribute }) => attribute),
    ...['id', 'attributes', 'resource', 'level', 'message'],
  ]),
].filter((name) => !FIELDS.includes(name));
/** Their plain names are compared as times. */
const TIMES = ['observed_time'];
/** A value of these is the message or the severity of the record. */
const READ = ['level', 'message'];

const ownValue = (name: string) => `own ${name} 7`;

function nested(name: string): object {
  return name.split('.').reduceRight<unknown>((value, key) => ({ [key]: value }), ownValue(name)) as object;
}

describeEachStore('a name that a record brings itself', (openStore) => {
  test('can be searched, although a column or a short name has the same name', async () => {
    const { database, write } = await openStore();
    await write([
      jsonBatch([{ msg: 'another record' }, ...NAMES.map((name) => ({ [name]: ownValue(name), msg: name }))]),
    ]);
    const logs = createLogSearch(database, { clock: new FakeClock() });
    const found = async (request: object) => {
      const { entries } = await logs.search(searchRequest.parse(request));
      return entries.map(({ body }) => body);
    };
    const missing: string[] = [];
    for (const name of NAMES.filter((each) => !READ.includes(each))) {
      const value = ownValue(name);
      const plain = TIMES.includes(name) ? [] : [name];
      for (const property of [...plain, `attributes.${name}`, `['${name}']`]) {
        const pair = await found({ where: [{ property, value }] });
        const expression = await found({ where: [{ expression: `${property} == "${value}"` }] });
        for (const bodies of [pair, expression])
          if (bodies.length !== 1 || bodies[0] !== name)
            missing.push(`${property}: ${JSON.stringify(bodies)}`);
      }
    }
    expect(missing).toEqual([]);
  }, 120_000);

  test('can be searched in a nested object', async () => {
    const { database, write } = await openStore();
    const names = NAMES.filter((name) => name.includes('.'));
    await write([jsonBatch(names.map((name) => ({ ...nested(name), msg: name })))]);
    const logs = createLogSearch(database, { clock: new FakeClock() });
    const missing: string[] = [];
    for (const name of names) {
      const request = searchRequest.parse({ where: [{ expression: `${name} == "${ownValue(name)}"` }] });
      const { entries } = await logs.search(request);
      if (entries.length !== 1 || entries[0]?.body !== name) missing.push(name);
    }
    expect(missing).toEqual([]);
  }, 120_000);
});
