/**
 * grpc-js reports "No connection established. Last error: Error: connect ECONNREFUSED ... Resolution note: ",
 * or "Failed to connect (2026-01-02T03:04:05.678Z)".
 */
export function conciseReason(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\.? Resolution note: $/, '')
    .replace(/ \(\d{4}-[-\d]+T[:.\d]+Z\)$/, '');
}
