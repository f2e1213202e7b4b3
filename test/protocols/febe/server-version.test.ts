import { describe, expect, it } from 'vitest';
import { parseServerVersion } from '../../../src/protocols/febe/server-version.ts';

describe('the server version', () => {
  it.each([
    ['PG-9.2.4/logfebe-1', 9],
    ['PG-9.2alpha1/logfebe-1', 9],
    ['PG-9.3beta2/logfebe-1', 9],
    ['PG-9.4devel/logfebe-1', 9],
    ['PG-9.6.24/logfebe-1', 9],
    ['PG-10.1/logfebe-1', 10],
    ['PG-14rc1/logfebe-1', 14],
    ['PG-15.20 (Debian 15.20-0+deb12u1)/logfebe-1', 15],
    ['PG-16.1 (built by a/logfebe-2 fan)/logfebe-1', 16],
    ['PG-18beta1/logfebe-1', 18],
  ])('accepts %s', (greeting, major) => {
    expect(parseServerVersion(greeting)).toMatchObject({ major, unheardOf: false });
  });

  it('keeps the text that the packager added', () => {
    expect(parseServerVersion('PG-15.20 (Debian 15.20-0+deb12u1)/logfebe-1')).toMatchObject({
      text: '15.20 (Debian 15.20-0+deb12u1)',
    });
  });

  it('accepts a newer version with a warning', () => {
    expect(parseServerVersion('PG-19.0/logfebe-1')).toMatchObject({ major: 19, unheardOf: true });
  });

  it.each([
    '',
    'PG-7.4.15/1',
    'PG-7.4.15/logfebe-1',
    'PG7.4.15/1',
    'PG-9.1.3/logfebe-1',
    'PG-9/logfebe-1',
    'PG-9.20/logfebe-1',
    'PG-15.1/logfebe-2',
    'PG-15.1/logfebe-11',
    'PG-15.1/logfebe-1 ',
    'PG-/logfebe-1',
    'PG-1500/logfebe-1',
    'XPG-15/logfebe-1',
    `PG-15 (${'x'.repeat(9000)})/logfebe-1`,
  ])('rejects %s', (greeting) => {
    const fault = parseServerVersion(greeting);
    expect(fault).toMatchObject({ kind: 'bad version' });
    expect('reason' in fault && fault.reason.length).toBeLessThan(250);
  });
});
