import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GelfEncoder } from '../../../src/protocols/gelf/gelf-encoder.ts';
import { streamPresentation } from '../../../src/protocols/gelf/gelf-presentation.ts';
import { frameMessage } from '../../../src/protocols/gelf/stream-codec.ts';
import { decodeStream } from '../../support/gelf-decoder.ts';

it('ends each message with one byte', () => {
  expect(Buffer.from(frameMessage(Buffer.from('{"_a":"foo"}'), 'null')).toString('hex')).toMatch(
    /6f6f227d00$/,
  );
  expect(Buffer.from(frameMessage(Buffer.from('{}'), 'newline')).toString()).toBe('{}\n');
});

it('decodes to the same messages for any texts', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.array(text), fc.constantFrom('null' as const, 'newline' as const), (texts, delimiter) => {
      const presentation = streamPresentation(new GelfEncoder({ host: 'h' }), delimiter);
      const frames = texts.flatMap((shortMessage) => presentation.present({ shortMessage })?.packets ?? []);
      const { messages, tail } = decodeStream(Buffer.concat(frames), delimiter === 'null' ? 0 : 10);
      expect(tail.length).toBe(0);
      const sent = texts.map((shortMessage) => (shortMessage.trim() === '' ? '(empty)' : shortMessage));
      expect(messages.map((message) => message.short_message)).toEqual(sent);
    }),
  );
});
