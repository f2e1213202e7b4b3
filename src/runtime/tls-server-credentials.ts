import type { TlsMaterial } from './tls.ts';

/** The certificates of a server, which can change while it runs. */
export class TlsServerCredentials {
  #material: TlsMaterial;
  readonly #listeners = new Set<(material: TlsMaterial) => void>();

  constructor(material: TlsMaterial) {
    this.#material = material;
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** New connections use the new certificates; existing ones continue. */
  reload(material: TlsMaterial): void {
    this.#material = material;
    for (const listener of this.#listeners) listener(material);
  }

  /** Calls back with new certificates, until the returned function is called. */
  onReload(listener: (material: TlsMaterial) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
