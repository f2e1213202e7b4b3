import type { Clock } from '../runtime/clock.ts';
import { FileTransport } from './file-transport.ts';
import { SocketTransport, type TlsClientOptions } from './socket-transport.ts';
import { StdoutTransport } from './stdout-transport.ts';
import type { PacketTransport, StreamTransport } from './transport.ts';
import type { TransportAddress } from './transport-address.ts';
import { UdpTransport } from './udp-transport.ts';
import { UnixDatagramTransport } from './unix-datagram-transport.ts';

/**
 * Creates the transport for an address without opening it. Throws for invalid options, such as a path that is
 * too long.
 */
export function transportTo(address: TransportAddress, options: TransportOptions = {}): AnyTransport {
  const { clock, tls, timeoutMs } = options;
  const socketOptions = { clock, connectTimeoutMs: timeoutMs, writeTimeoutMs: timeoutMs };
  switch (address.kind) {
    case 'udp': {
      const transport = new UdpTransport(address.host, address.port, { clock, resolveTimeoutMs: timeoutMs });
      return { kind: 'packets', transport };
    }
    case 'unixgram': {
      const transport = new UnixDatagramTransport(address.path, { clock, sendTimeoutMs: timeoutMs });
      return { kind: 'packets', transport };
    }
    case 'tcp':
      return stream(SocketTransport.tcp(address.host, address.port, socketOptions));
    case 'tls':
      return stream(SocketTransport.tls(address.host, address.port, tls ?? {}, socketOptions));
    case 'unix':
      return stream(SocketTransport.unix(address.path, socketOptions));
    case 'file':
      return stream(new FileTransport(address.path, { clock, writeTimeoutMs: timeoutMs }));
    case 'stdout':
      return stream(new StdoutTransport(undefined, { clock }));
  }
}

export interface TransportOptions {
  readonly clock?: Clock | undefined;
  readonly tls?: TlsClientOptions | undefined;
  /** Timeout of connecting, and of each write. Default 10 s. */
  readonly timeoutMs?: number | undefined;
}

export type AnyTransport =
  | { readonly kind: 'packets'; readonly transport: PacketTransport }
  | { readonly kind: 'stream'; readonly transport: StreamTransport };

function stream(transport: StreamTransport): AnyTransport {
  return { kind: 'stream', transport };
}
