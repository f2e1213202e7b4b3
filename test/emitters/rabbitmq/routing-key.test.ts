import { describe, expect, test } from 'vitest';
import { keyOfRecord, keyOfSlice, parseRoutingKey } from '../../../src/emitters/rabbitmq/routing-key.ts';
import { recordView } from '../../../src/formats/record-view.ts';
import { recordBatch } from '../../support/record-batches.ts';

function parsed(text: string) {
  const key = parseRoutingKey(text);
  if (key === undefined) throw new Error('not a routing key');
  return key;
}

describe('a routing key', () => {
  const slice = recordBatch(['{"level":"warn","tenant":"a.b #1"}\n'], {
    format: 'json',
    resource: new Map([['host.name', 'web.example.com']]),
  });

  test('has attributes of a record, each as one word', () => {
    const key = keyOfRecord(
      parsed('x.{host.name}.{tenant}.{severity}.{format}.{none}'),
      recordView(slice, 0),
    );
    expect(key).toBe('x.web_example_com.a_b__1.warn.json.unknown');
  });

  test('has attributes of the resource for a message with several records', () => {
    expect(keyOfSlice(parsed('{format}.{host.name}.{tenant}'), slice)).toBe('json.web_example_com.unknown');
  });

  test('is cut at 255 bytes between characters', () => {
    const long = { ...slice, resource: new Map([['host.name', 'ü'.repeat(300)]]) };
    const key = keyOfSlice(parsed('x{host.name}'), long);
    expect(key).toBe(`x${'ü'.repeat(127)}`);
  });

  test.each(['{', 'a}b', '{}', '{a b}', 'x'.repeat(256)])('is not valid: %s', (text) => {
    expect(parseRoutingKey(text)).toBeUndefined();
  });
});
