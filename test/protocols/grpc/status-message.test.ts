import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeStatusMessage, encodeStatusMessage } from '../../../src/protocols/grpc/status-message.ts';

it('encodes everything but printable ASCII', () => {
  expect(encodeStatusMessage('50 % für ☃\n')).toBe('50 %25 f%C3%BCr %E2%98%83%0A');
});

it('decodes what it encodes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(encodeStatusMessage(text)).toMatch(/^[ -~]*$/);
      expect(decodeStatusMessage(encodeStatusMessage(text))).toBe(text);
    }),
  );
});

it('keeps invalid escapes', () => {
  expect(decodeStatusMessage('100% %4 %zz %41')).toBe('100% %4 %zz A');
});
