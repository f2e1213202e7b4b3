import { createSecureContext } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { secureContextOptions, type TlsMaterial } from '../../src/runtime/tls.ts';

/** Of a peer with grpc-js, as collectors of earlier versions. undefined: plain text. */
export function grpcClientCredentials(material: TlsMaterial | undefined): ChannelCredentials {
  if (material === undefined) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createFromSecureContext(createSecureContext(secureContextOptions(material)));
}
