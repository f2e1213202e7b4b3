import { describe, expect, it } from 'vitest';
import { choicesFor, type KnownField, placeAt, withChoice } from '../../../src/page/query/completion.ts';

const FIELDS: readonly KnownField[] = [
  { name: 'severity', type: 'text', values: [{ value: 'error', count: 3 }] },
  { name: 'http.response.status_code', type: 'number', values: [{ value: '500', count: 9 }] },
  { name: 'url.path', type: 'text', values: [{ value: '/a "b"', count: 2 }] },
];
/** `|` is the cursor. */
const place = (text: string) => placeAt(text.replace('|', ''), text.indexOf('|'));
const texts = (text: string) => choicesFor(place(text), FIELDS).map((choice) => choice.text);

describe('completion', () => {
  it.each([
    ['|', 'property'],
    ['ur|', 'property'],
    ['a == 1 and |', 'property'],
    ['exists |', 'property'],
    ['(|', 'property'],
    ['url.path |', 'operator'],
    ['url.path sta|', 'operator'],
    ['url.path == |', 'value'],
    ['url.path == "/a|', 'value'],
    ['url.path in ("/x", |', 'value'],
    ['url.path == "/a" |', 'connective'],
  ])('offers for %s: %s', (text, kind) => {
    expect(place(text).kind).toBe(kind);
  });

  it('offers fields that contain what is typed, those that begin with it first', () => {
    expect(texts('s|')).toEqual(['severity', 'http.response.status_code']);
    expect(texts('status|')).toEqual(['http.response.status_code']);
  });

  it('offers the values of the field, quoted where it is needed', () => {
    expect(texts('url.path == |')).toEqual(['"/a \\"b\\""']);
    expect(texts('http.response.status_code >= |')).toEqual(['500']);
    expect(texts('severity == |')).toEqual(['error']);
    expect(texts('severity in (|')).toEqual(['error']);
  });

  it('offers the values of the attribute that a short name means', () => {
    expect(texts('status_code == |')).toEqual(['500']);
    expect(texts('status_code in (|')).toEqual(['500']);
    expect(texts('request_route == |')).toEqual(['"/a \\"b\\""']);
  });

  it('replaces the whole word at the cursor', () => {
    const query = 'sev|xx == error'.replace('|', '');
    const [choice] = choicesFor(placeAt(query, 3), FIELDS);
    expect(choice).toBeDefined();
    if (choice !== undefined) {
      expect(withChoice(query, placeAt(query, 3), choice)).toEqual({ query: 'severity == error', cursor: 8 });
    }
  });

  it('keeps a space between words', () => {
    const query = 'severity==';
    const [choice] = choicesFor(placeAt(query, query.length), FIELDS);
    expect(choice && withChoice(query, placeAt(query, query.length), choice).query).toBe('severity== error ');
  });
});
