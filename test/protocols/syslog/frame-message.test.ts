import { expect, it } from 'vitest';
import { frameMessage } from '../../../src/protocols/syslog/frame-message.ts';

const framed = (message: string, framing: 'octet' | 'lf') =>
  Buffer.from(frameMessage(Buffer.from(message), framing)).toString();

it('counts bytes, not characters', () => {
  expect(framed('<13>é\nx', 'octet')).toBe('8 <13>é\nx');
});

it('ends a message with a line feed and escapes those in it', () => {
  expect(framed('<13>a\nb\r\0é', 'lf')).toBe('<13>a#012b#015#000é\n');
});
