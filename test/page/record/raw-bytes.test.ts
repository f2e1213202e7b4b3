import { expect, it } from 'vitest';
import { bytesOfBase64, hexDump } from '../../../src/page/record/raw-bytes.ts';

it('shows bytes as hexadecimal digits and ASCII', () => {
  const bytes = Uint8Array.from([...Buffer.from('GET /a b HTTP/1.1'), 0, 0xff]);
  expect(hexDump(bytes).split('\n')).toEqual([
    '00000000  47 45 54 20 2f 61 20 62 20 48 54 54 50 2f 31 2e  GET /a b HTTP/1.',
    `00000010  31 00 ff${' '.repeat(39)}  1..`,
  ]);
});

it('reads base64', () => {
  expect([...bytesOfBase64(Buffer.from([0, 255, 10]).toString('base64'))]).toEqual([0, 255, 10]);
});
