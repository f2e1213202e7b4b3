/**
 * The reason of a failed call, for the operator. A server that refuses the certificate of a client ends the connection after the
 * handshake of the client, with an alert of TLS or without.
 */
export function conciseReason(reason: string): string {
  const alert = CERTIFICATE_ALERT.exec(reason)?.[1];
  if (alert !== undefined)
    return `the aggregator refused the certificate of this collector (TLS alert: ${alert})`;
  return ENDED_EARLY.test(reason) ? ENDED : reason;
}

/** OpenSSL names the alert that it received, such as `tlsv13 alert certificate required`. */
const CERTIFICATE_ALERT =
  /\b(?:sslv3|tlsv1|tlsv13) alert ((?:bad |unsupported )?certificate(?: \w+)?|unknown ca)\b/;
/** The text of `Http2Connection`. */
const ENDED_EARLY = /, before the peer sent HTTP\/2$/;
const ENDED =
  'the aggregator ended the connection during the handshake; if it requires certificates, it refused that of this collector';
