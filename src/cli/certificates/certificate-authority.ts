import './define-reflect-metadata.ts';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its private key, as PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** The common name. */
  readonly name: string;
  /** Host names and IP addresses of a server; a client has none. */
  readonly hosts: readonly string[];
  readonly use: 'server' | 'client';
  readonly days: number;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The clock of another machine may be late. */
const EARLIER_MS = 60 * 60 * 1000;

/** Issues certificates for mutual TLS between collectors and aggregators. */
export class CertificateAuthority {
  readonly pair: CertificatePair;
  readonly #certificate: X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(pair: CertificatePair, key: webcrypto.CryptoKey) {
    this.pair = pair;
    this.#certificate = new X509Certificate(pair.certificate);
    this.#key = key;
  }

  static async create(name: string, days: number, nowMs: number): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: subject(name),
      keys,
      signingAlgorithm: SIGNATURE,
      ...validity(days, nowMs),
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(await pairOf(certificate, keys.privateKey), keys.privateKey);
  }

  /** Throws if the key is no key of this kind. */
  static async load(pair: CertificatePair): Promise<CertificateAuthority> {
    const [der] = PemConverter.decode(pair.key);
    if (der === undefined) throw new Error('the key file has no PEM text');
    const key = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
    return new CertificateAuthority(pair, key);
  }

  async issue({ name, hosts, use, days }: CertificateRequest, nowMs: number): Promise<CertificatePair> {
    const keys = await newKeys();
    const purpose = use === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
    const extensions: Extension[] = [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([purpose]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(this.#certificate),
    ];
    if (hosts.length > 0) extensions.push(new SubjectAlternativeNameExtension(hosts.map(alternativeName)));
    const certificate = await X509CertificateGenerator.create({
      subject: subject(name),
      issuer: this.#certificate.subjectName,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      signingAlgorithm: SIGNATURE,
      ...this.#within(validity(days, nowMs)),
      extensions,
    });
    return pairOf(certificate, keys.privateKey);
  }

  /** A certificate is not valid after its authority. */
  #within({ notBefore, notAfter }: Validity): Validity {
    const last = this.#certificate.notAfter;
    return { notBefore, notAfter: notAfter > last ? last : notAfter };
  }
}

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

function validity(days: number, nowMs: number): Validity {
  return { notBefore: new Date(nowMs - EARLIER_MS), notAfter: new Date(nowMs + days * DAY_MS) };
}

function subject(name: string): { CN: string[] }[] {
  return [{ CN: [name] }];
}

function alternativeName(host: string): { type: 'ip' | 'dns'; value: string } {
  return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function pairOf(certificate: X509Certificate, key: webcrypto.CryptoKey): Promise<CertificatePair> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${PemConverter.encode(der, 'PRIVATE KEY')}\n`,
  };
}
