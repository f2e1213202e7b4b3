import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { isFingerprint, type ListenerTls } from './listener-configuration.ts';

/** Reads and checks the files of a listener. Rejects with the reason when they cannot be used. */
export async function loadSecureContext(tls: ListenerTls): Promise<SecureContextOptions> {
  const { certificateFile, keyFile, caFile } = tls;
  const [cert, key, ca] = await Promise.all([
    readFile(certificateFile),
    readFile(keyFile),
    caFile === undefined ? undefined : readFile(caFile),
  ]);
  const options: SecureContextOptions = { cert, key, ...(ca && { ca }), minVersion: 'TLSv1.2' };
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${keyFile} does not match the certificate ${certificateFile}`);
  createSecureContext(options);
  return options;
}

export function tlsFiles({ certificateFile, keyFile, caFile }: ListenerTls): readonly string[] {
  return [certificateFile, keyFile, ...(caFile === undefined ? [] : [caFile])].map((path) => resolve(path));
}

/** Returns why the client may not send; undefined when it may. */
export function clientRefusal(socket: TLSSocket, tls: ListenerTls): string | undefined {
  if (tls.clientCertificate === 'none') return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined)
    return tls.clientCertificate === 'required' ? 'the client has no certificate' : undefined;
  if (hasPermittedFingerprint(certificate, tls)) return undefined;
  if (!socket.authorized) return `the certificate of the client is not valid: ${socket.authorizationError}`;
  const names = tls.permittedPeers.filter((each) => !isFingerprint(each));
  if (tls.permittedPeers.length === 0 || names.some((name) => hasName(certificate, name))) return undefined;
  return `the certificate of the client has no permitted name (${oneLine(certificate.subject)})`;
}

/** The subject of the client's certificate, in one line. */
export function clientSubject(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate && oneLine(certificate.subject);
}

function hasPermittedFingerprint(certificate: X509Certificate, { permittedPeers }: ListenerTls): boolean {
  const own = hexOf(certificate.fingerprint256);
  return permittedPeers.some(
    (each) => isFingerprint(each) && hexOf(each.slice(each.indexOf(':') + 1)) === own,
  );
}

/** A name in the subject alternative names. The wildcard `*` is one or more characters, also dots at its place. */
function hasName({ subjectAltName = '' }: X509Certificate, permitted: string): boolean {
  const names = subjectAltName.split(', ').map((name) => name.slice(name.indexOf(':') + 1).toLowerCase());
  const wanted = permitted.toLowerCase();
  if (!wanted.startsWith('*.')) return names.includes(wanted);
  const suffix = wanted.slice(1);
  return names.some((name) => name.endsWith(suffix) && name.length > suffix.length);
}

function hexOf(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

function oneLine(subject: string): string {
  return subject.split('\n').join(', ').slice(0, 1024);
}
