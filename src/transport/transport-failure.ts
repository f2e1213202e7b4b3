import type { TransportFailure } from './transport.ts';

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing is listening (connection refused)',
  ECONNRESET: 'the receiver reset the connection',
  EPIPE: 'the receiver has closed the connection',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the name server does not respond',
  ETIMEDOUT: 'the host does not respond',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  EMSGSIZE: 'the datagram is too large for the network',
  ENOBUFS: 'the system has no buffer for it',
  ENOENT: 'no such file or socket',
  EACCES: 'permission denied',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: the certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'TLS: the certificate is self-signed and not in ca or ca_file, so it is not trusted',
  SELF_SIGNED_CERT_IN_CHAIN:
    'TLS: the authority of the certificate is not in ca or ca_file, so it is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'TLS: the authority of the certificate is not in ca or ca_file, so it is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'TLS: the authority of the certificate is not in ca or ca_file, so it is not trusted',
  CERT_HAS_EXPIRED: 'TLS: the certificate has expired',
  CERT_NOT_YET_VALID: 'TLS: the certificate is not valid yet',
  ERR_SSL_WRONG_VERSION_NUMBER: 'TLS: the receiver does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'TLS: the receiver does not speak TLS',
};

/** Converts an error of Node. */
export function failureOf(error: unknown): TransportFailure {
  const { code, message } = innermost(error);
  if (code === undefined) return { reason: message };
  const sentence = SENTENCES[code];
  if (sentence !== undefined) return { reason: sentence, code };
  return { reason: `${code.startsWith('ERR_SSL') ? 'TLS: ' : ''}${message}`, code };
}

export function timedOut(what: string, afterMs: number): TransportFailure {
  return { reason: `${what} within ${afterMs} ms`, code: 'ETIMEDOUT' };
}

/** If several addresses were tried, the first error. */
function innermost(error: unknown): { code: string | undefined; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const { code } = error as NodeJS.ErrnoException;
  return { code: typeof code === 'string' ? code : undefined, message: error.message };
}
