/**
 * The reason of grpc-js for a call that failed, in short. grpc-js reports "No connection established. Last error: Error:
 * connect ECONNREFUSED ... Resolution note: ", or "Failed to connect (2026-01-02T03:04:05.678Z)" for a connection that
 * ended during its handshake. A server that refuses a client certificate ends it so, with an alert of TLS or without.
 */
export function conciseReason(details: string): string {
  const reason = details
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\.? Resolution note: $/, '')
    .replace(/ \(\d{4}-[-\d]+T[:.\d]+Z\)$/, '');
  const alert = CERTIFICATE_ALERT.exec(reason)?.[1];
  if (alert !== undefined)
    return `the aggregator refused the certificate of this collector (TLS alert: ${alert})`;
  return reason === 'Failed to connect' ? ENDED : reason;
}

/** OpenSSL names the alert that it received, such as `tlsv13 alert certificate required`. */
const CERTIFICATE_ALERT =
  /\b(?:sslv3|tlsv1|tlsv13) alert ((?:bad |unsupported )?certificate(?: \w+)?|unknown ca)\b/;
const ENDED =
  'the aggregator ended the connection during the handshake; if it requires certificates, it refused that of this collector';
