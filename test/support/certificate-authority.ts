import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TlsMaterial } from '../../src/runtime/tls.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const run = promisify(execFile);

export interface CertificatePlan {
  /** The subject's common name. */
  readonly name: string;
  /** Both dates are in the past. */
  readonly expired?: boolean;
}

/** A real certificate authority for one test, made with the openssl command. */
export class CertificateAuthority {
  readonly certificate: string;
  readonly #directory: string;
  #serial = 1;

  private constructor(directory: string, certificate: string) {
    this.#directory = directory;
    this.certificate = certificate;
  }

  /** `parent`: a directory that the caller removes; by default one that is removed at the end of the test. */
  static async create(name = 'Test Authority', parent?: string): Promise<CertificateAuthority> {
    const directory = parent ?? (await temporaryDirectory());
    const at = (file: string) => join(directory, file);
    await makeKey(at('ca.key'));
    await run('openssl', [
      ...['req', '-x509', '-new', '-key', at('ca.key'), '-out', at('ca.crt')],
      ...['-subj', `/CN=${name}`, '-days', '30'],
    ]);
    return new CertificateAuthority(directory, await readFile(at('ca.crt'), 'utf8'));
  }

  /** A certificate for both sides of a connection to localhost, with its key. */
  async issue({ name, expired = false }: CertificatePlan): Promise<TlsMaterial> {
    const serial = this.#serial++;
    const at = (suffix: string) => join(this.#directory, `${serial}.${suffix}`);
    await makeKey(at('key'));
    await run('openssl', ['req', '-new', '-key', at('key'), '-out', at('csr'), '-subj', `/CN=${name}`]);
    await writeFile(
      at('ext'),
      'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nextendedKeyUsage=serverAuth,clientAuth\n',
    );
    await run('openssl', [
      ...['x509', '-req', '-in', at('csr'), '-out', at('crt'), '-extfile', at('ext')],
      ...['-CA', join(this.#directory, 'ca.crt'), '-CAkey', join(this.#directory, 'ca.key')],
      ...['-set_serial', String(serial), '-days', expired ? '-1' : '30'],
    ]);
    const [certificate, key] = await Promise.all([readFile(at('crt'), 'utf8'), readFile(at('key'), 'utf8')]);
    return { certificate, key, caCertificate: this.certificate };
  }
}

async function makeKey(path: string): Promise<void> {
  await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path]);
}
