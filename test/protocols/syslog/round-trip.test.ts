import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { syslog } from '../../../src/formats/syslog/syslog.ts';
import { messageOfRecord } from '../../../src/protocols/syslog/message-of-record.ts';
import type { SyslogMessage } from '../../../src/protocols/syslog/syslog-message.ts';
import { type MessageFormat, writeMessage } from '../../../src/protocols/syslog/write-record.ts';
import type { LogRecord } from '../../../src/records/log-record.ts';
import { mintStreamId } from '../../../src/records/stream-id.ts';

/** The message that another aggregator would send for what the format `syslog` reads. */
function forwarded(message: SyslogMessage, format: MessageFormat): SyslogMessage {
  const { bytes } = writeMessage(message, { format, timeZone: 'UTC', maxBytes: 64 * 1024 });
  const context = { resource: new Map(), observedTimeUnixNano: message.timeUnixNano };
  const parsed = syslog.parse(Buffer.concat([bytes, Buffer.from('\n')]), context);
  const record: LogRecord = {
    ...parsed,
    ...context,
    format: 'syslog',
    stream: mintStreamId(),
    position: 0,
  };
  return messageOfRecord(record, { facility: 0, severity: 0, host: '', app: '', identify: false });
}

const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);
const text = fc.string({ unit: 'grapheme-ascii', minLength: 1 }).map((each) => `text ${each}.`);
const structuredData = fc
  .dictionary(
    name,
    fc.dictionary(name, fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 2 }), {
      minKeys: 1,
    }),
  )
  .map(
    (data) =>
      new Map(Object.entries(data).map(([id, parameters]) => [id, new Map(Object.entries(parameters))])),
  );
const message: fc.Arbitrary<SyslogMessage> = fc.record({
  facility: fc.integer({ min: 0, max: 23 }),
  severity: fc.integer({ min: 0, max: 7 }),
  timeUnixNano: fc
    .bigInt({ min: 1_600_000_000n, max: 1_900_000_000n })
    .map((seconds) => seconds * 1_000_000_000n),
  host: name,
  app: name,
  processId: fc.integer({ min: 1, max: 99_999 }).map(String),
  messageId: name,
  structuredData,
  fields: fc.constant({}),
  text,
});

describe('the format syslog reads back', () => {
  it('every field of an RFC 5424 message', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const { fields: _, ...received } = forwarded(sent, 'rfc5424');
        const { fields: __, ...expected } = sent;
        expect(received).toEqual(expected);
      }),
    );
  });

  it('the fields that RFC 3164 has', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const { facility, severity, timeUnixNano, host, app, processId, text: body } = sent;
        expect(forwarded(sent, 'rfc3164')).toMatchObject({
          facility,
          severity,
          timeUnixNano,
          host,
          app,
          processId,
          text: body,
        });
      }),
    );
  });

  it('the fields of a JSON message', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const { fields: _, messageId: __, ...expected } = sent;
        expect(forwarded(sent, 'json')).toMatchObject(expected);
      }),
    );
  });
});
