/**
 * Recognizes peers of other protocols by their first bytes. `more`: the bytes are not sufficient. A line that
 * begins like an HTTP request but does not end like one is a log line.
 */
export function wrongPeer(bytes: Uint8Array): WrongPeer | 'none' | 'more' {
  if (bytes[0] === TLS_HANDSHAKE && (bytes.length < 2 || bytes[1] === TLS_MAJOR))
    return bytes.length < 2 ? 'more' : { kind: 'tls', found: 'a TLS greeting, but the port is without TLS' };
  const text = Buffer.from(bytes.subarray(0, MAX_REQUEST_LINE)).toString('latin1');
  const method = METHODS.find((each) => each.startsWith(text) || text.startsWith(each));
  if (method === undefined || bytes.length === 0) return 'none';
  const end = text.indexOf('\n');
  if (end === -1) return bytes.length < MAX_REQUEST_LINE ? 'more' : 'none';
  const isRequest = / HTTP\/[0-9.]+\r?$/.test(text.slice(0, end));
  return isRequest ? { kind: 'http', found: `an HTTP request (${method.trim()})` } : 'none';
}

export interface WrongPeer {
  readonly kind: 'http' | 'tls';
  /** For a sentence: `the peer sent ...`. */
  readonly found: string;
}

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;
const MAX_REQUEST_LINE = 4096;
const METHODS = ['GET ', 'POST ', 'PUT ', 'HEAD ', 'DELETE ', 'OPTIONS ', 'PATCH ', 'CONNECT ', 'PRI * '];
