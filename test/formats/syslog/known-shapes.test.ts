import { describe, expect, it } from 'vitest';
import { KnownShapes } from '../../../src/formats/syslog/known-shapes.ts';
import { MessageReader } from '../../../src/formats/syslog/message-reader.ts';

function readerAt(text: string): MessageReader {
  const bytes = Buffer.from(text);
  return new MessageReader(bytes, 0, bytes.length);
}

function read(shapes: KnownShapes, text: string): string | undefined {
  const message = readerAt(text);
  const data = shapes.readAt(message);
  expect(message.at > 0, 'the cursor moves only if the shape is known').toBe(data !== undefined);
  return data === undefined ? undefined : JSON.stringify(data);
}

/** Adds until the shape is kept: only some of the messages are. */
function addKept(shapes: KnownShapes, name: string): void {
  for (let count = 0; count < 32; count++) shapes.add({ a: { [name]: 'v' } }, 10);
}

describe('KnownShapes', () => {
  it('reads the values of a shape that was added, with its escapes', () => {
    const shapes = new KnownShapes();
    expect(read(shapes, '[a k="v"] text')).toBeUndefined();
    shapes.add({ a: { k: 'v' }, b: {} }, 12);
    expect(read(shapes, '[a k="other \\"value\\""][b] text')).toBe('{"a":{"k":"other \\"value\\""},"b":{}}');
  });

  it('does not read another name, another order, an unclosed element, or one more element', () => {
    const shapes = new KnownShapes();
    shapes.add({ a: { k: 'v', l: 'v' } }, 16);
    expect(read(shapes, '[a k="v" l="v"]')).toBeDefined();
    for (const text of [
      ...['[b k="v" l="v"]', '[a l="v" k="v"]', '[a k="v" l="v" m="v"]', '[a k="v"]', '[a k="v" l="v'],
      ...['[a k="v" l="v"][b]', '[a k="v"  l="v"]', '[a k="v" l="v"', '[a', ''],
    ])
      expect(read(shapes, text), text).toBeUndefined();
  });

  it('keeps the last four shapes', () => {
    const shapes = new KnownShapes();
    for (let index = 0; index < 20; index++) addKept(shapes, `k${index}`);
    const kept = Array.from({ length: 20 }, (_, index) => index).filter(
      (index) => read(shapes, `[a k${index}="v"]`) !== undefined,
    );
    expect(kept).toEqual([16, 17, 18, 19]);
  });

  it('does not keep the shape of long structured data', () => {
    const shapes = new KnownShapes();
    const name = 'k'.repeat(1020);
    for (let count = 0; count < 100; count++) shapes.add({ a: { [name]: 'v' } }, 1030);
    expect(read(shapes, `[a ${name}="v"]`)).toBeUndefined();
  });
});
