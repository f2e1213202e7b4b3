import { expect, test } from 'vitest';
import { aggregatorVariables } from '../../src/aggregator/config.ts';
import { CurrentConfiguration } from '../../src/cli/current-configuration.ts';
import { capturedLogger } from '../support/captured-logger.ts';

const started = { AGGREGATOR_RETRY_COUNT: '3', AGGREGATOR_LOG_LEVEL: 'info' };

function currentOf() {
  const { logger, lines } = capturedLogger();
  return { current: new CurrentConfiguration(aggregatorVariables(), started, logger), lines };
}

test('names the variables that need a restart, once for each change', () => {
  const { current, lines } = currentOf();
  const changed = {
    AGGREGATOR_RETRY_COUNT: '4',
    AGGREGATOR_LOG_LEVEL: 'debug',
    AGGREGATOR_TLS_KEY_FILE: '/k',
  };
  current.reloaded(changed);
  current.reloaded(changed);
  expect(lines.map(({ variables }) => variables)).toEqual([['AGGREGATOR_RETRY_COUNT']]);
});

test('says when the configuration is as it was', () => {
  const { current, lines } = currentOf();
  current.reloaded(started);
  current.reloaded({ AGGREGATOR_RETRY_COUNT: '4' });
  current.reloaded(started);
  expect(lines.map(({ level }) => level)).toEqual([40, 30]);
});
