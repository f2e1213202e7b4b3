/** The first line of an HTTP request. */
export interface HttpRequestLine {
  readonly method: string;
  readonly target: string;
  /** `1.1`, `2.0`, ...; undefined for HTTP/0.9, which has none. */
  readonly version: string | undefined;
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const PROTOCOL = /^HTTP\/(\d{1,2}(?:\.\d{1,2})?)$/;

/** `method SP target [SP protocol]`; the target may hold blanks. undefined for anything else, such as a TLS greeting. */
export function parseHttpRequestLine(line: string): HttpRequestLine | undefined {
  const methodEnd = line.indexOf(' ');
  const method = line.slice(0, Math.max(0, methodEnd));
  if (!METHOD.test(method)) return undefined;
  const targetEnd = line.lastIndexOf(' ');
  const version = targetEnd > methodEnd ? PROTOCOL.exec(line.slice(targetEnd + 1))?.[1] : undefined;
  const target = line.slice(methodEnd + 1, version === undefined ? line.length : targetEnd);
  return target === '' ? undefined : { method, target, version };
}
