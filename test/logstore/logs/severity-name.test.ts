import { expect, test } from 'vitest';
import { SEVERITIES } from '../../../src/logstore/logs/log-requests.ts';
import { lowestSeverityNumber, severityName } from '../../../src/logstore/logs/severity-name.ts';

test('each name has four numbers', () => {
  const names = Array.from({ length: 24 }, (_, index) => severityName(index + 1));
  expect(names).toEqual(SEVERITIES.flatMap((name) => [name, name, name, name]));
});

test('maps the lowest number of a name to it, and the number below to another one', () => {
  for (const name of SEVERITIES) {
    expect(severityName(lowestSeverityNumber(name))).toBe(name);
    expect(severityName(lowestSeverityNumber(name) - 1)).not.toBe(name);
  }
});

test.each([null, 0, -1, 25, 32_767])('%s has no name', (number) => {
  expect(severityName(number)).toBeNull();
});
