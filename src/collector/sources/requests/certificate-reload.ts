import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { Clock } from '../../../runtime/clock.ts';
import { ContentWatcher } from '../../../runtime/watching/content-watcher.ts';
import type { ListenerTls } from '../syslog/listener-configuration.ts';
import { loadSecureContext, tlsFiles } from '../syslog/listener-tls.ts';

const HANDSHAKE_WITHIN_MS = 10_000;

/** Reads the files. Rejects with the reason when they cannot be used. */
export async function tlsServerOptions(tls: ListenerTls): Promise<TlsOptions & SecureContextOptions> {
  return { ...(await loadSecureContext(tls)), handshakeTimeout: HANDSHAKE_WITHIN_MS, ...clientCheck(tls) };
}

export function clientCheck({ clientCertificate }: ListenerTls) {
  const isRequired = clientCertificate === 'required';
  return { requestCert: isRequired, rejectUnauthorized: isRequired };
}

export interface ReloadOptions {
  readonly listener: string;
  readonly events: ReloadEvents;
  readonly clock: Clock;
}

export interface ReloadEvents {
  certificateReloaded(event: { readonly listener: string }): void;
  certificateRejected(event: { readonly listener: string; readonly reason: string }): void;
}

/** Uses the certificate files again when they change. */
export class CertificateReload {
  readonly #watcher: ContentWatcher;

  static async start(
    tls: ListenerTls,
    options: ReloadOptions,
    onContext: (context: SecureContextOptions) => void,
  ): Promise<CertificateReload> {
    const reload = new CertificateReload(tls, options, onContext);
    await reload.#watcher.start();
    return reload;
  }

  private constructor(
    tls: ListenerTls,
    { clock, events, listener }: ReloadOptions,
    onContext: (context: SecureContextOptions) => void,
  ) {
    this.#watcher = new ContentWatcher({
      paths: tlsFiles(tls),
      clock,
      onChange: () => {
        loadSecureContext(tls).then(
          (context) => {
            onContext(context);
            events.certificateReloaded({ listener });
          },
          (error: Error) => events.certificateRejected({ listener, reason: error.message }),
        );
      },
      // The watcher still polls.
      onFailure: () => {},
    });
  }

  stop(): Promise<void> {
    return this.#watcher.stop();
  }
}
