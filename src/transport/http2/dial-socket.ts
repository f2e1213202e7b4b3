import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../../runtime/configuration/address.ts';
import { readIntoReusedBuffer } from '../../runtime/reused-read-buffer.ts';
import { clientTlsOptions, type TlsMaterial } from '../../runtime/tls.ts';

/**
 * Connects; the bytes are passed to `receive`, and are valid only during the call. A plain socket reads into the reused buffer.
 * `ready`: the connection can be used, after the TLS handshake if there is one. Node validates some TLS options only now, and
 * throws.
 */
export function dialSocket({ endpoint, tls, receive, ready }: DialOptions): Socket {
  const target = 'socketPath' in endpoint ? { path: endpoint.socketPath } : endpoint;
  if (tls === undefined) {
    const socket = connectPlain({ ...target, onread: readIntoReusedBuffer(receive) });
    socket.once('connect', ready);
    socket.setNoDelay(true);
    return socket;
  }
  const socket = connectTls({
    ...target,
    ...clientTlsOptions(tls),
    ...nameOf(endpoint),
    ALPNProtocols: ['h2'],
  });
  socket.once('secureConnect', ready);
  socket.on('data', receive);
  socket.setNoDelay(true);
  return socket;
}

/** The name that the certificate must have. SNI allows no IP addresses; those are verified as the host. */
function nameOf(endpoint: Endpoint): { readonly servername?: string; readonly host?: string } {
  if ('socketPath' in endpoint) return { servername: 'localhost' };
  return isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {};
}

export interface DialOptions {
  readonly endpoint: Endpoint;
  /** undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly receive: (chunk: Buffer) => void;
  readonly ready: () => void;
}
