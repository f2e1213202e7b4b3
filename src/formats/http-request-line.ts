/** The first line of an HTTP request. */
export interface HttpRequestLine {
  readonly method: string;
  readonly target: string;
  /** `1.1`, `2.0`, ...; undefined for HTTP/0.9, which has no version. */
  readonly version: string | undefined;
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const VERSION = /^\d{1,2}(?:\.\d{1,2})?$/;

/**
 * `method SP target [SP protocol]`; the target may hold blanks. undefined for anything else, such as a TLS
 * greeting.
 */
export function parseHttpRequestLine(line: string): HttpRequestLine | undefined {
  const methodEnd = line.indexOf(' ');
  const method = line.slice(0, Math.max(0, methodEnd));
  if (!METHOD.test(method)) return undefined;
  const targetEnd = line.lastIndexOf(' ');
  const version = targetEnd > methodEnd ? protocolVersion(line, targetEnd + 1) : undefined;
  const target = line.slice(methodEnd + 1, version === undefined ? line.length : targetEnd);
  return target === '' ? undefined : { method, target, version };
}

/** `1.1` if the line ends with `HTTP/1.1` at this point. */
function protocolVersion(line: string, start: number): string | undefined {
  if (!line.startsWith('HTTP/', start)) return undefined;
  const version = line.slice(start + 5);
  return VERSION.test(version) ? version : undefined;
}
