import { describe, expect, test } from 'vitest';
import { brokerAddressText, parseBrokerAddress } from '../../../src/transport/rabbitmq/broker-address.ts';

describe('the address of a broker', () => {
  test.each([
    ['amqp://broker', { host: 'broker', port: 5672, hasTls: false, vhost: '/' }],
    ['amqps://broker/', { host: 'broker', port: 5671, hasTls: true, vhost: '/' }],
    ['amqp://broker:1234/%2F', { host: 'broker', port: 1234, hasTls: false, vhost: '/' }],
    ['amqp://[::1]/my%20logs', { host: '::1', port: 5672, hasTls: false, vhost: 'my logs' }],
  ])('%s', (text, expected) => {
    expect(parseBrokerAddress(text)).toMatchObject(expected);
  });

  test('has the user and the password, and is shown without them', () => {
    const address = parseBrokerAddress('amqps://a%40b:se%3Acret@[::1]:99/logs');
    expect(address).toMatchObject({ username: 'a@b', password: 'se:cret' });
    expect(address && brokerAddressText(address)).toBe('amqps://[::1]:99/logs');
  });

  test.each(['broker:5672', 'http://broker', 'amqp://', 'amqp://broker/a?heartbeat=1', 'amqp://broker/%zz'])(
    'is not valid: %s',
    (text) => {
      expect(parseBrokerAddress(text)).toBeUndefined();
    },
  );
});
