import type { LogplexTarget } from './logplex-target.ts';

/**
 * Formats a server's response for operators: one short printable line, without credentials that it may
 * repeat.
 */
export function withoutSecrets(text: string, { authorization, token }: LogplexTarget): string {
  const credential = authorization.replace(/^Basic /, '');
  const password = Buffer.from(credential, 'base64')
    .toString()
    .replace(/^[^:]*:/, '');
  const secrets = [credential, token, password].flatMap((secret) => [secret, encodeURIComponent(secret)]);
  // The longest first: one may be part of another.
  const clean = [...new Set(secrets)]
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text);
  return clean
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_EXCERPT);
}

const LONGEST_EXCERPT = 200;
