import { jsonCodec, protobufCodec, type RequestCodec } from '../../protocols/otlp/request-codec.ts';
import type { Clock } from '../../runtime/clock.ts';
import { readClientTls } from '../client-tls.ts';
import type { OtlpConfiguration } from './configuration.ts';
import type { ExportClient } from './export-client.ts';
import { GrpcClient } from './grpc-client.ts';
import { HttpClient } from './http-client.ts';

export function codecOf({ protocol }: OtlpConfiguration): RequestCodec {
  return protocol === 'http/json' ? jsonCodec : protobufCodec;
}

/** Creates the client without connecting. Throws if a certificate file cannot be read. */
export async function openClient(configuration: OtlpConfiguration, clock: Clock): Promise<ExportClient> {
  const tls = configuration.endpoint.hasTls ? await readClientTls(configuration) : undefined;
  if (configuration.protocol === 'grpc') return new GrpcClient(configuration, { clock, tls });
  return new HttpClient(configuration, { clock, tls, contentType: codecOf(configuration).contentType });
}
