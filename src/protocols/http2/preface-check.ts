import { ERROR_CODE } from './error-codes.ts';
import { PREFACE } from './frame.ts';
import { Http2Error } from './http2-error.ts';

/** Checks the first bytes of the peer, so that a peer with another protocol gets an error that names it. */
export class PrefaceCheck {
  readonly #isServer: boolean;
  #checked = 0;
  #isDone = false;

  constructor(role: 'client' | 'server') {
    this.#isServer = role === 'server';
  }

  /** Returns the bytes after the preface. Throws `Http2Error`. */
  check(chunk: Buffer): Buffer {
    if (this.#isDone || chunk.length === 0) return chunk;
    const protocol = this.#checked === 0 ? otherProtocol(chunk) : undefined;
    if (protocol !== undefined) throw notHttp2(`it sent ${protocol}`);
    if (this.#isServer) return this.#checkPreface(chunk);
    this.#isDone = true;
    return chunk;
  }

  #checkPreface(chunk: Buffer): Buffer {
    const expected = PREFACE.subarray(this.#checked, this.#checked + chunk.length);
    if (!chunk.subarray(0, expected.length).equals(expected)) throw notHttp2('its first bytes are others');
    this.#checked += expected.length;
    this.#isDone = this.#checked === PREFACE.length;
    return chunk.subarray(expected.length);
  }
}

function otherProtocol(chunk: Buffer): string | undefined {
  // The type of a TLS record, and the first byte of its version.
  if ((chunk[0] === 0x15 || chunk[0] === 0x16) && (chunk.length === 1 || chunk[1] === 0x03)) return 'TLS';
  const text = chunk.toString('latin1', 0, 64);
  return /^HTTP\/1/.test(text) || /^[A-Z]{3,8} \S+(?: HTTP\/1|$)/.test(text) ? 'HTTP/1' : undefined;
}

function notHttp2(reason: string): Http2Error {
  return new Http2Error(ERROR_CODE.protocolError, `the peer does not speak HTTP/2: ${reason}`);
}
