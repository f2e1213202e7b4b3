import fc from 'fast-check';
import { expect, test } from 'vitest';
import { syslog } from '../../../src/formats/syslog/syslog.ts';

/** Facility of one to five names, severity, mnemonic. */
const MNEMONIC = /^[A-Z][\w/]{0,63}(?:-[A-Z][\w/]{0,63}){0,4}-([0-7])-\w{1,64}$/;

const parts = fc.oneof(
  fc.constantFrom('SEC', 'A', 'X/Y_1', 'a', '0', '3', '7', '8', '33', '', '302013', 'ADD_ROUTE', 'M/N'),
  fc.integer({ min: 63, max: 66 }).map((length) => 'A'.repeat(length)),
);

test('a Cisco message has the severity of its mnemonic, if the text is one', () => {
  fc.assert(
    fc.property(fc.array(parts, { minLength: 1, maxLength: 8 }), (list) => {
      const text = list.join('-');
      const { attributes } = syslog.parse(Buffer.from(`1: Oct 11 22:14:15: %${text}: x`));
      const severity = MNEMONIC.exec(text)?.[1];
      expect(attributes.get('syslog.msg_id')).toBe(severity === undefined ? undefined : text);
      expect(attributes.get('syslog.severity.code')).toBe(
        severity === undefined ? undefined : Number(severity),
      );
    }),
    { numRuns: 2000 },
  );
});
