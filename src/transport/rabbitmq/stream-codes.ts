/** Codes of answers in the stream protocol. */
export const STREAM_CODES = { ok: 1, noStream: 2, streamExists: 5 } as const;

const TEXTS: Readonly<Record<number, string>> = {
  2: 'the stream does not exist',
  6: 'the stream is not available',
  7: 'the broker does not offer the login with a password (PLAIN)',
  8: 'the broker rejects the user or the password',
  10: 'the broker rejects the login',
  12: 'the user has no access to the virtual host',
  13: 'the broker does not know a frame',
  14: 'a frame is larger than the broker accepts',
  15: 'the broker has an internal error',
  16: 'the user has no permission for the stream',
  17: 'the stream exists with other properties, or is no stream',
  18: 'the broker does not know the publisher',
};

export function streamCodeText(code: number): string {
  return TEXTS[code] ?? `the broker reports the error ${code}`;
}
