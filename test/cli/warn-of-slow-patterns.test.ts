import { expect, test } from 'vitest';
import { warnOfSlowPatterns } from '../../src/cli/warn-of-slow-patterns.ts';
import { linearEngine } from '../../src/patterns/linear-engine.ts';
import { capturedLogger } from '../support/captured-logger.ts';

test.each([
  ['linear', "V8's linear engine"],
  ['none', 'RE2JS'],
] as const)('warns once if the engine of regular expressions is %s', (engine, used) => {
  const { logger, lines } = capturedLogger();
  warnOfSlowPatterns(engine, logger);
  expect(lines).toMatchObject([
    { level: 40, engine: used, msg: expect.stringMatching(/^Regular expressions are slow/) },
  ]);
});

test('reports nothing for the versions of Node that are tested', () => {
  const { logger, lines } = capturedLogger();
  warnOfSlowPatterns(linearEngine(), logger);
  expect(lines).toEqual([]);
});
