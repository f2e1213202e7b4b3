import { expect, it } from 'vitest';
import { TextReader } from '../../../src/formats/postgres/text-reader.ts';

it('reads the characters of Windows-1252 where a text is not UTF-8', () => {
  const reader = new TextReader();
  expect(reader.read(Buffer.from('5 €'))).toBe('5 €');
  expect(reader.foreign).toBe(false);
  expect(reader.read(Uint8Array.of(0x80, 0x93, 0x94, 0xe9, 0x9f, 0x81))).toBe('€“”éŸ\u0081');
  expect(reader.foreign).toBe(true);
});
