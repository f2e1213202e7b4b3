import { expect, it } from 'vitest';
import { NO_STRUCTURED_DATA, type SyslogMessage } from '../../../src/protocols/syslog/syslog-message.ts';
import { writeRfc3164 } from '../../../src/protocols/syslog/write-rfc3164.ts';

const nano = (...utc: [number, number, number, number, number, number]) =>
  BigInt(Date.UTC(...utc)) * 1_000_000n;
const MESSAGE: SyslogMessage = {
  facility: 4,
  severity: 2,
  timeUnixNano: nano(2026, 9, 1, 22, 14, 15),
  host: 'h',
  app: 'su',
  processId: '42',
  messageId: 'ignored',
  structuredData: NO_STRUCTURED_DATA,
  fields: {},
  text: 'failed',
};
const text = (changes: Partial<SyslogMessage> = {}, zone = 'UTC') =>
  Buffer.from(writeRfc3164({ ...MESSAGE, ...changes }, 1024, zone).bytes).toString();

it('pads the day with a blank', () => {
  expect(text()).toBe('<34>Oct  1 22:14:15 h su[42]: failed');
});

it('has a tag without a process id, and a hyphen without an application', () => {
  expect(text({ processId: '' })).toBe('<34>Oct  1 22:14:15 h su: failed');
  expect(text({ processId: '', app: '' })).toBe('<34>Oct  1 22:14:15 h -: failed');
});

it('replaces characters that would end the tag', () => {
  expect(text({ app: 'a:b[c] d' })).toBe('<34>Oct  1 22:14:15 h a_b_c__d[42]: failed');
});

it.each([
  ['Europe/Berlin', 'Oct  2 00:14:15'],
  ['America/New_York', 'Oct  1 18:14:15'],
  ['Asia/Kolkata', 'Oct  2 03:44:15'],
])('writes the time in %s', (zone, time) => {
  expect(text({}, zone)).toContain(`<34>${time} h`);
});

it('follows the change to summer time to the second', () => {
  const before = nano(2026, 2, 29, 0, 59, 59);
  expect(text({ timeUnixNano: before }, 'Europe/Berlin')).toContain('Mar 29 01:59:59');
  expect(text({ timeUnixNano: before + 1_000_000_000n }, 'Europe/Berlin')).toContain('Mar 29 03:00:00');
});

it('truncates a long text with a mark', () => {
  const { bytes, cutBytes } = writeRfc3164({ ...MESSAGE, text: 'x'.repeat(5000) }, 1024, 'UTC');
  expect(bytes.length).toBeLessThanOrEqual(1024);
  expect(Buffer.from(bytes).toString()).toMatch(new RegExp(`x \\[truncated ${cutBytes} bytes\\]$`));
});
