import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SyslogMessage } from '../../../src/protocols/syslog/syslog-message.ts';
import { writeJson } from '../../../src/protocols/syslog/write-json.ts';

const MESSAGE: SyslogMessage = {
  facility: 16,
  severity: 4,
  timeUnixNano: 1_700_000_000_123_456_789n,
  host: 'h',
  app: 'app',
  processId: '',
  messageId: '',
  structuredData: new Map([['a@1', new Map([['ip', ['1', '2']]])]]),
  fields: { status: 500, nested: { a: [1] } },
  text: 'two\nlines',
};

it('has the keys that pyloggr reads, and the attributes as custom fields', () => {
  expect(JSON.parse(Buffer.from(writeJson(MESSAGE, 8192).bytes).toString())).toEqual({
    timereported: '2023-11-14T22:13:20.123456Z',
    severity: 'warning',
    facility: 'local0',
    source: 'h',
    app_name: 'app',
    structured_data: { 'a@1': { ip: ['1', '2'] } },
    custom_fields: { status: 500, nested: { a: [1] } },
    message: 'two\nlines',
  });
});

it('is valid JSON within the limit for any text', () => {
  const text = fc.string({ unit: 'binary', minLength: 0, maxLength: 2000 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1024, max: 4000 }), (body, max) => {
      const { bytes, cutBytes } = writeJson({ ...MESSAGE, text: body }, max);
      expect(bytes.length).toBeLessThanOrEqual(max);
      const { message } = JSON.parse(Buffer.from(bytes).toString()) as { message: string };
      if (cutBytes === 0) expect(message).toBe(body);
      else expect(message).toMatch(/ \[cut: \d+ bytes missing\]$/);
    }),
  );
});

it('leaves out fields that leave no room for the text', () => {
  const { bytes, cutBytes } = writeJson({ ...MESSAGE, fields: { big: 'x'.repeat(3000) } }, 1024);
  const parsed = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  expect(parsed).toMatchObject({ message: 'two\nlines', source: 'h' });
  expect(parsed).not.toHaveProperty('custom_fields');
  expect(cutBytes).toBeGreaterThan(3000);
});
