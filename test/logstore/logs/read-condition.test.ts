import { describe, expect, it } from 'vitest';
import { readCondition } from '../../../src/logstore/logs/read-condition.ts';

describe('the text of a condition', () => {
  it.each([
    ['status_code=500', 'status_code', '500'],
    ['request_route=/a b', 'request_route', '/a b'],
    ['a=', 'a', ''],
    ['a=b=c', 'a', 'b=c'],
    ["['a=b']=c", "['a=b']", 'c'],
    ['section(url.path)=api', 'section(url.path)', 'api'],
    ['body=this or that', 'body', 'this or that'],
    ['body=x and y', 'body', 'x and y'],
  ])('is a value of a property without blanks around =: %s', (text, property, value) => {
    expect(readCondition(text)).toEqual({ property, value });
  });

  it.each([
    'status_code == 500',
    'status_code = 500',
    'status_code>=500',
    'body~"a=b"',
    'status_code=500 or status_code=404',
    'exists order.id',
    'not a=5',
    'severity >= error and a=5',
  ])('is an expression otherwise: %s', (text) => {
    expect(readCondition(text)).toEqual({ expression: text });
  });

  it('is nothing for a single word', () => {
    expect(readCondition('status_code')).toBeUndefined();
  });
});
