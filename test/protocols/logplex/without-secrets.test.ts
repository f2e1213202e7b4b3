import { expect, it } from 'vitest';
import { isFault, parseLogplexUrl, tokenTarget } from '../../../src/protocols/logplex/logplex-target.ts';
import { withoutSecrets } from '../../../src/protocols/logplex/without-secrets.ts';

function cleaned(target: ReturnType<typeof parseLogplexUrl>, text: string): string {
  if (isFault(target)) throw new Error(target.fault);
  return withoutSecrets(text, target);
}

it('removes the credentials in every form', () => {
  const target = parseLogplexUrl('https://token:s%40cret@h/logs');
  const basic = Buffer.from('token:s@cret').toString('base64');
  expect(cleaned(target, `no s@cret, s%40cret or Basic ${basic}`)).toBe(
    'no [secret], [secret] or Basic [secret]',
  );
  expect(cleaned(tokenTarget('t.one', 'https://id:all@h/'), 't.one for all')).toBe('[secret] for [secret]');
});

it('returns one short printable line', () => {
  const target = parseLogplexUrl('https://token:secret@h/logs');
  expect(cleaned(target, '<h1>\r\n\x1b[31mBad\0</h1>\n')).toBe('<h1> [31mBad </h1>');
  expect(cleaned(target, 'x'.repeat(5_000))).toHaveLength(200);
});
