import { X509Certificate } from 'node:crypto';

/** The contents of a certificate that matter for a connection. */
export interface CertificateDescription {
  readonly subject: string;
  readonly issuer: string;
  readonly isAuthority: boolean;
  /** For clients, for servers, or both; empty if the certificate does not limit it. */
  readonly uses: readonly ('server' | 'client')[];
  readonly hosts: readonly string[];
  readonly validFrom: string;
  readonly validTo: string;
  readonly fingerprint256: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;
const USES = { '1.3.6.1.5.5.7.3.1': 'server', '1.3.6.1.5.5.7.3.2': 'client' } as const;

/** The certificates of a PEM text, in their order. Throws if one of them is damaged. */
export function describeCertificates(pem: string): readonly CertificateDescription[] {
  return [...pem.matchAll(CERTIFICATE)].map(([text]) => describe(new X509Certificate(text)));
}

function describe(certificate: X509Certificate): CertificateDescription {
  // Node sets it for certificates without the extension to undefined, which its types do not have.
  const usages: readonly string[] = certificate.keyUsage ?? [];
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    isAuthority: certificate.ca,
    uses: Object.entries(USES).flatMap(([id, use]) => (usages.includes(id) ? [use] : [])),
    hosts: (certificate.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => name.replace(/^(?:DNS|IP Address):/, '')),
    validFrom: new Date(certificate.validFrom).toISOString(),
    validTo: new Date(certificate.validTo).toISOString(),
    fingerprint256: certificate.fingerprint256,
  };
}

function oneLine(name: string): string {
  return name.split('\n').join(', ');
}
