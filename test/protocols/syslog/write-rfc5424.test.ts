import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_STRUCTURED_DATA, type SyslogMessage } from '../../../src/protocols/syslog/syslog-message.ts';
import { writeRfc5424 } from '../../../src/protocols/syslog/write-rfc5424.ts';
import { decodeRfc5424 } from '../../support/syslog-decoder.ts';

const MESSAGE: SyslogMessage = {
  facility: 4,
  severity: 2,
  timeUnixNano: BigInt(Date.UTC(2003, 9, 11, 22, 14, 15, 3)) * 1_000_000n + 456_789n,
  host: 'mymachine.example.com',
  app: 'su',
  processId: '42',
  messageId: 'ID47',
  structuredData: NO_STRUCTURED_DATA,
  fields: {},
  text: "'su root' failed",
};
const element = (id: string, parameters: Record<string, readonly string[]>) =>
  new Map([[id, new Map(Object.entries(parameters))]]);
const written = (changes: Partial<SyslogMessage> = {}, maxBytes = 8192) => {
  const { bytes, cutBytes } = writeRfc5424({ ...MESSAGE, ...changes }, maxBytes);
  return { text: Buffer.from(bytes).toString(), bytes, cutBytes };
};

describe('the header', () => {
  it('has all fields, and microseconds', () => {
    expect(written().text).toBe(
      "<34>1 2003-10-11T22:14:15.003456Z mymachine.example.com su 42 ID47 - 'su root' failed",
    );
  });

  it('has a hyphen for each absent field', () => {
    expect(written({ host: '', app: '', processId: '', messageId: '', text: '' }).text).toBe(
      '<34>1 2003-10-11T22:14:15.003456Z - - - - -',
    );
  });

  it('replaces illegal characters and cuts fields to their maximum length', () => {
    const { host, app, processId, messageId } = decodeRfc5424(
      written({
        host: `ü b\n${'h'.repeat(300)}`,
        app: 'a'.repeat(60),
        processId: 'p'.repeat(200),
        messageId: 'my id',
      }).bytes,
    );
    expect(host).toBe(`__b_${'h'.repeat(251)}`);
    expect([app.length, processId.length, messageId]).toEqual([48, 128, 'my_id']);
  });

  it.each([
    [-5n, '1970-01-01T00:00:00.000000Z'],
    [2n ** 63n, '2262-04-11T23:47:16.854775Z'],
  ])('has a valid time for %s', (timeUnixNano, time) => {
    expect(decodeRfc5424(written({ timeUnixNano }).bytes).time).toBe(time);
  });
});

describe('structured data', () => {
  it('escapes exactly the quote, the backslash and the bracket', () => {
    const structuredData = element('exampleSDID@32473', {
      eventSource: ['App]x "q" \\ \\n'],
      ip: ['a', 'b'],
    });
    expect(written({ structuredData }).text).toContain(
      ' [exampleSDID@32473 eventSource="App\\]x \\"q\\" \\\\ \\\\n" ip="a" ip="b"] \'su',
    );
  });

  it('replaces characters that a name must not have', () => {
    const structuredData = element('a b="]', { [`${'n'.repeat(31)}é=`]: ['v'] });
    expect(decodeRfc5424(written({ structuredData }).bytes).elements).toEqual([
      { id: 'a_b___', parameters: [[`${'n'.repeat(31)}_`, 'v']] },
    ]);
  });

  it('is left out, and counted, if it leaves no room for the text', () => {
    const { bytes, cutBytes } = written({ structuredData: element('a@1', { b: ['x'.repeat(2000)] }) }, 1024);
    expect(decodeRfc5424(bytes)).toMatchObject({ elements: [], text: MESSAGE.text });
    expect(cutBytes).toBeGreaterThan(2000);
  });
});

describe('any message', () => {
  it('is read back as it was, if it fits', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((each) => each.isWellFormed());
    fc.assert(
      fc.property(text, text, text, (name, value, body) => {
        const structuredData = new Map([['id@1', new Map([[name, [value]]])]]);
        const decoded = decodeRfc5424(written({ structuredData, text: body }).bytes);
        expect(decoded.text).toBe(body);
        expect(decoded.elements[0]?.parameters[0]?.[1]).toBe(value);
      }),
    );
  });

  it('is never longer than the limit, and ends with the number of missing bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 3000 }), fc.integer({ min: 0, max: 3000 }), (max, length) => {
        const text = 'ä'.repeat(length);
        const { bytes, cutBytes } = written({ text }, max);
        expect(bytes.length).toBeLessThanOrEqual(max);
        const decoded = decodeRfc5424(bytes).text;
        if (cutBytes === 0) expect(decoded).toBe(text);
        else expect(decoded).toMatch(new RegExp(`^ä+ \\[truncated ${cutBytes} bytes\\]$`));
        const kept = decoded.match(/ä/g)?.length ?? 0;
        expect(kept * 2 + cutBytes).toBe(length * 2);
      }),
    );
  });
});
