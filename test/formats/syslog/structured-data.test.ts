import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageReader } from '../../../src/formats/syslog/message-reader.ts';
import { readElements } from '../../../src/formats/syslog/read-elements.ts';
import { readStructuredData } from '../../../src/formats/syslog/structured-data.ts';

type Read = typeof readElements | typeof readStructuredData;

/** What `read` finds at the beginning of a text, with the order of the names, and where it ends. */
function found(read: Read, text: string) {
  const bytes = Buffer.from(text);
  const message = new MessageReader(bytes, 0, bytes.length);
  return { data: JSON.stringify(read(message)), at: message.at };
}

const ids = fc.constantFrom('a@1', 'b@2', 'a:b', '__proto__', 'checkpoint', '7');
const names = fc.constantFrom('k', 'l', 'key', '2', '1', '__proto__', 'a:', 'constructor');
const values = fc.constantFrom('', 'v', 'grüß', '\\"', '\\\\', '\\]', '\\n', ']', '[a@1 k=', ' l=');
const parameters = fc
  .tuple(fc.constantFrom(' ', ' ', ' ', '  ', '; ', ';'), names, fc.constantFrom('=', '=', ':'), values)
  .map(([separator, name, equals, value]) => `${separator}${name}${equals}"${value}"`);
const elements = fc
  .tuple(ids, fc.array(parameters, { maxLength: 4 }), fc.constantFrom(']', ']', ']', '', ' ]'))
  .map(([id, list, end]) => `[${id}${list.join('')}${end}`);
/** Elements in the usual and in other notations, also broken ones, and a text. */
const texts = fc
  .tuple(
    fc.array(elements, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', ' text', '[text', '[a@1 k="v"'),
  )
  .map(([list, text]) => list.join('') + text);

test('structured data of a shape that is known is read like structured data of a new one', () => {
  fc.assert(
    fc.property(fc.array(texts, { minLength: 1, maxLength: 30 }), (list) => {
      for (const text of [...list, ...list]) {
        const expected = found(readElements, text);
        // Of the messages with an unknown shape, one in 32 becomes a known one.
        for (let again = 0; again < 33; again++) expect(found(readStructuredData, text)).toEqual(expected);
      }
    }),
    { numRuns: 30 },
  );
});

test('the values of equal shapes differ', () => {
  for (let index = 0; index < 40; index++)
    expect(found(readStructuredData, `[s@1 n="${index}" m="\\"${index}"] text`).data).toBe(
      JSON.stringify({ 's@1': { n: `${index}`, m: `"${index}` } }),
    );
});
