import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonFault } from '../../../src/runtime/configuration/json-fault.ts';

test.each([
  ['{"path": /var/log}', 1, 10],
  ['{"path": "/var/log"', 1, 20],
  ['{\n  "a": 1,\n}', 3, 1],
  ["{'a': 1}", 1, 2],
  ['[1, 2] 3', 1, 8],
  ['[01]', 1, 2],
  ['{"a" 1}', 1, 6],
  ['', 1, 1],
  ['{"a": "b\nc"}', 1, 7],
])('finds where %j stops being JSON', (text, line, column) => {
  expect(jsonFault(text)).toMatchObject({ line, column });
});

test('shows the position and hides values', () => {
  expect(jsonFault('{"token": "hunter2", path: "x"}')?.picture).toBe(
    '  {"token": "*******", ****: "*"}\n                       ^',
  );
});

test('finds no fault in JSON, and one in everything that JSON.parse rejects', () => {
  const broken = fc.tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', ']', '"', ':', 'x', '1'));
  fc.assert(
    fc.property(broken, ([json, at, inserted]) => {
      const cut = at % (json.length + 1);
      const text = json.slice(0, cut) + inserted + json.slice(cut + 1);
      const fault = jsonFault(text);
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(fault === undefined).toBe(isJson);
      expect(jsonFault(json)).toBeUndefined();
    }),
  );
});
