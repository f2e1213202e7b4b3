import { describe, expect, test } from 'vitest';
import { parseRabbitmqConfiguration } from '../../../src/emitters/rabbitmq/configuration.ts';
import { ConfigurationError } from '../../../src/runtime/configuration/configuration-error.ts';

function problemsOf(configuration: object): readonly string[] {
  try {
    parseRabbitmqConfiguration(JSON.stringify(configuration));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ variable, message }) => `${variable}: ${message}`);
  }
}

const VARIABLE = 'AGGREGATOR_RABBITMQ_CONFIGURATION';

describe('the configuration of the emitter rabbitmq', () => {
  test('accepts several brokers, as a list or separated by commas', () => {
    for (const address of ['amqp://a,amqp://b', ['amqp://a', 'amqp://b']]) {
      const [configured] = parseRabbitmqConfiguration(JSON.stringify({ address, queue: 'q' }));
      expect(configured?.configuration.address.map(({ host }) => host)).toEqual(['a', 'b']);
    }
  });

  test('needs a queue or an exchange with a routing key', () => {
    expect(problemsOf({ address: 'amqp://a' })).toEqual([
      `${VARIABLE}.queue: is required without an exchange`,
    ]);
    expect(problemsOf({ address: 'amqp://a', exchange: 'x' })).toEqual([
      `${VARIABLE}.routing_key: is required for an exchange without a queue`,
    ]);
  });

  test('rejects a placeholder that differs between the records of a message', () => {
    const routing_key = 'logs.{severity}';
    expect(problemsOf({ address: 'amqp://a', exchange: 'x', routing_key })).toEqual([
      `${VARIABLE}.routing_key: {severity} differs between the records of a message; use another body`,
    ]);
    expect(problemsOf({ address: 'amqp://a', exchange: 'x', routing_key, body: 'json' })).toEqual([]);
  });

  test('does not show a password in a problem', () => {
    const problems = problemsOf({ address: 'http://user:pass-word@a', queue: 'q' });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('pass-word');
  });
});
