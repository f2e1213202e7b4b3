import { type Address, isLoopback, parseAddress } from '../../../runtime/configuration/address.ts';

/** Where a listener listens: `grpc://:4317`, `https://[::]:4318`. */
export interface OtlpListenAddress {
  readonly transport: OtlpTransport;
  readonly address: Address;
}

export type OtlpTransport = 'grpc' | 'grpcs' | 'http' | 'https';

/** Returns undefined when the text is no address. An empty host is the loopback address. */
export function parseOtlpAddress(text: string): OtlpListenAddress | undefined {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? [];
  const port = DEFAULT_PORTS[scheme as OtlpTransport];
  if (port === undefined) return undefined;
  const address = parseAddress(rest.startsWith(':') ? `${LOOPBACK}${rest}` : rest || LOOPBACK, port);
  return address && { transport: scheme as OtlpTransport, address };
}

/** The name of a listener and of its stream. */
export function otlpAddressText({ transport, address: { host, port } }: OtlpListenAddress): string {
  return `${transport}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function usesTls({ transport }: OtlpListenAddress): boolean {
  return transport === 'grpcs' || transport === 'https';
}

export function isGrpc({ transport }: OtlpListenAddress): boolean {
  return transport === 'grpc' || transport === 'grpcs';
}

/** Other machines can send to it, without encryption. */
export function isExposed(listen: OtlpListenAddress): boolean {
  return !usesTls(listen) && !isLoopback(listen.address);
}

export const OTLP_LISTEN_FORMAT = '`grpc`, `grpcs`, `http` or `https`, `://host:port`';

const LOOPBACK = '127.0.0.1';
/** Those of the specification. */
const DEFAULT_PORTS: Readonly<Record<OtlpTransport, number>> = {
  grpc: 4317,
  grpcs: 4317,
  http: 4318,
  https: 4318,
};
