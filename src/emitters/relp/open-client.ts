import type { Clock } from '../../runtime/clock.ts';
import { productVersion } from '../../runtime/product-version.ts';
import { relpTransport } from '../../transport/relp-address.ts';
import { RelpClient } from '../../transport/relp-client.ts';
import { readClientTls } from '../client-tls.ts';
import type { RelpConfiguration } from './configuration.ts';

/** Creates the client without connecting. Throws if a certificate file cannot be read. */
export async function openClient(configuration: RelpConfiguration, clock: Clock): Promise<RelpClient> {
  const { address, window, timeout, answer_timeout } = configuration;
  const tls = address.hasTls ? await readClientTls(configuration) : undefined;
  const transport = relpTransport(address, {
    tls,
    connectTimeoutMs: timeout,
    writeTimeoutMs: answer_timeout,
  });
  return new RelpClient(transport, {
    softwareVersion: productVersion(),
    window,
    clock,
    openTimeoutMs: timeout,
    answerTimeoutMs: answer_timeout,
  });
}
