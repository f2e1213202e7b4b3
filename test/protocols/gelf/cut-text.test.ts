import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutText, jsonLength } from '../../../src/protocols/gelf/cut-text.ts';

const MARKER = / \[cut: (\d+) bytes missing\]$/;
const text = fc.string({
  unit: fc.constantFrom('a', '"', '\\', '\n', '\u0001', 'é', '€', '😀', '\ud800', '\udc00', '\u2028'),
});

it('leaves a fitting message unchanged', () => {
  fc.assert(
    fc.property(text, (given) => {
      expect(cutText(given, jsonLength(given))).toEqual({ text: given, cutBytes: 0 });
    }),
  );
});

it('keeps the limit and reports how much is missing', () => {
  fc.assert(
    fc.property(text, fc.nat(200), (given, maxBytes) => {
      const cut = cutText(given, maxBytes);
      expect(jsonLength(cut.text)).toBeLessThanOrEqual(maxBytes);
      if (jsonLength(given) <= maxBytes) return;
      const kept = cut.text.replace(MARKER, '');
      expect(given.startsWith(kept)).toBe(true);
      expect(cut.cutBytes).toBe(Buffer.byteLength(given) - Buffer.byteLength(kept));
      if (maxBytes >= 80) expect(MARKER.exec(cut.text)?.[1]).toBe(String(cut.cutBytes));
    }),
    { numRuns: 500 },
  );
});

it('does not split a character', () => {
  expect(cutText('😀😀', 7).text).toBe('😀');
  expect(cutText('😀😀', 8).text).toBe('😀😀');
});
