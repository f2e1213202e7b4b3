import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';

/**
 * Own identity and trusted authorities as PEM text. Both sides need all of it: client certificates are always
 * required.
 */
export interface TlsMaterial {
  /** Own certificate first, then its chain. */
  readonly certificate: string;
  readonly key: string;
  /** One or more certificates; one of them must have issued the other side's. */
  readonly caCertificate: string;
}

export interface TlsFault {
  readonly part: keyof TlsMaterial;
  readonly message: string;
}

/** Lower versions are deprecated since 2021 (RFC 8996). */
const MIN_VERSION = 'TLSv1.2';

const CERTIFICATE_BLOCK =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** Options of a server. Without `rejectUnauthorized` Node accepts clients without a certificate. */
export function serverTlsOptions(material: TlsMaterial): TlsOptions {
  return { ...secureContextOptions(material), requestCert: true, rejectUnauthorized: true };
}

/** Options of a client. Node verifies the server's certificate for the requested name. */
export function clientTlsOptions(material: TlsMaterial): SecureContextOptions & { rejectUnauthorized: true } {
  return { ...secureContextOptions(material), rejectUnauthorized: true };
}

export function secureContextOptions({ certificate, key, caCertificate }: TlsMaterial): SecureContextOptions {
  return { cert: certificate, key, ca: caCertificate, minVersion: MIN_VERSION };
}

/** PEM from an environment: with real line ends, or with the two characters `\n` instead. */
export function pemText(text: string): string {
  return text.includes('\n') ? text : text.replaceAll('\\r', '').replaceAll('\\n', '\n');
}

/** Why this material is invalid; empty when it is valid. Messages contain nothing of the material. */
export function tlsFaults(material: TlsMaterial): readonly TlsFault[] {
  const faults: TlsFault[] = [];
  const certificate = leafOf(material.certificate, faults);
  const key = keyOf(material.key, faults);
  caCertificatesOf(material.caCertificate, faults);
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    faults.push({
      part: 'key',
      message: 'does not match the certificate (of a chain, our own certificate must come first)',
    });
  }
  if (faults.length === 0) faults.push(...unusable(material));
  return faults;
}

function leafOf(text: string, faults: TlsFault[]): X509Certificate | undefined {
  const certificates = parseCertificates(text);
  const leaf = certificates?.[0];
  if (leaf === undefined) {
    faults.push({ part: 'certificate', message: `expected a PEM certificate, found ${whatIs(text)}` });
  }
  return leaf;
}

function caCertificatesOf(text: string, faults: TlsFault[]): void {
  const certificates = parseCertificates(text);
  if (certificates === undefined || certificates.length === 0) {
    faults.push({
      part: 'caCertificate',
      message: `expected at least one PEM certificate of an authority, found ${whatIs(text)}`,
    });
  }
}

function keyOf(text: string, faults: TlsFault[]): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    const encrypted = text.includes('ENCRYPTED');
    const found = encrypted ? 'an encrypted one, which cannot be used' : whatIs(text);
    faults.push({ part: 'key', message: `expected a PEM private key, found ${found}` });
    return undefined;
  }
}

/** undefined when any of them is damaged. */
function parseCertificates(text: string): readonly X509Certificate[] | undefined {
  try {
    return (text.match(CERTIFICATE_BLOCK) ?? []).map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function whatIs(text: string): string {
  if (text.trim() === '') return 'an empty value';
  const label = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1];
  if (label === undefined) {
    return /^[^\n]*\.(?:pem|crt|cer|key)\s*$/.test(text)
      ? 'what looks like a path (the variable with _FILE added takes a path)'
      : 'text without a PEM block';
  }
  return label.includes('CERTIFICATE') || label.includes('KEY')
    ? `a damaged or wrong ${label}`
    : `a ${label}`;
}

/** OpenSSL's check of the whole: small keys, unreadable chains. */
function unusable(material: TlsMaterial): readonly TlsFault[] {
  try {
    createSecureContext(secureContextOptions(material));
    return [];
  } catch (error) {
    const reason = (error as { reason?: string }).reason ?? 'for an unknown reason';
    return [{ part: 'certificate', message: `is rejected by OpenSSL (${reason})` }];
  }
}
