import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { parseExpression } from '../../src/expressions/parse-expression.ts';
import { writtenName } from '../../src/expressions/written-name.ts';
import { recordView } from '../../src/formats/record-view.ts';
import { jsonBatch } from '../support/json-batch.ts';

test.each([
  [['order', 'id'], 'order.id'],
  [['http.request.method.original'], 'http.request.method.original'],
  [['source'], 'attributes.source'],
  [['any name'], "['any name']"],
  [["it's", 'a"b'], `['it\\'s']['a"b']`],
  [['and'], 'attributes.and'],
])('the attribute %j is written %s', (path, name) => {
  expect(writtenName(path)).toBe(name);
});

test('a condition with the written name selects the record, for any key', () => {
  const key = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 8 })
    .filter((text) => !/[\0\ud800-\udfff]/.test(text));
  fc.assert(
    fc.property(key, (name) => {
      const record = recordView(jsonBatch([{ [name]: { x: 'here' } }]), 0);
      const matches = compileExpression(parseExpression(`${writtenName([name, 'x'])} == "here"`));
      expect(matches(record)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
