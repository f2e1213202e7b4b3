import { createSecureContext } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { secureContextOptions, serverTlsOptions, type TlsMaterial } from './tls.ts';

/**
 * TLS for a gRPC server. grpc-js's own `createSsl` leaves the lowest version of TLS to the process's defaults
 * and cannot change certificates while the server runs.
 */
export class TlsServerCredentials extends ServerCredentials {
  constructor(material: TlsMaterial) {
    super(serverTlsOptions(material), secureContextOptions(material));
  }

  /** New connections use the new certificates; existing ones continue. */
  reload(material: TlsMaterial): void {
    this.updateSecureContextOptions(secureContextOptions(material));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** undefined: plain text. */
export function grpcServerCredentials(material: TlsMaterial | undefined): ServerCredentials {
  return material === undefined ? ServerCredentials.createInsecure() : new TlsServerCredentials(material);
}

/** undefined: plain text. */
export function grpcClientCredentials(material: TlsMaterial | undefined): ChannelCredentials {
  if (material === undefined) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createFromSecureContext(createSecureContext(secureContextOptions(material)));
}
