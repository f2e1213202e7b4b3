import type { IntakeLimits } from './intake-limits.ts';

/** Limits the number of connections: in all, for each address, and for each certificate. */
export class ConnectionLimits {
  readonly #limits: IntakeLimits;
  readonly #byAddress = new Map<string, number>();
  readonly #byCertificate = new Map<string, number>();
  #all = 0;

  constructor(limits: IntakeLimits) {
    this.#limits = limits;
  }

  /** Counts a connection from its first packet, before TLS. A string: the limit that it would exceed. */
  open(address: string): CountedConnection | string {
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#all >= connections) return `the limit of ${connections} connections`;
    if ((this.#byAddress.get(address) ?? 0) >= connectionsPerAddress)
      return `the limit of ${connectionsPerAddress} connections from one address`;
    this.#all++;
    add(this.#byAddress, address, 1);
    return new CountedConnection(
      (fingerprint) => this.#secure(fingerprint),
      (fingerprint) => {
        this.#all--;
        add(this.#byAddress, address, -1);
        if (fingerprint !== undefined) add(this.#byCertificate, fingerprint, -1);
      },
    );
  }

  #secure(fingerprint: string): string | undefined {
    const { connectionsPerCertificate } = this.#limits;
    if ((this.#byCertificate.get(fingerprint) ?? 0) >= connectionsPerCertificate)
      return `the limit of ${connectionsPerCertificate} connections with one certificate`;
    add(this.#byCertificate, fingerprint, 1);
    return undefined;
  }
}

export class CountedConnection {
  readonly #secure: (fingerprint: string) => string | undefined;
  readonly #close: (fingerprint: string | undefined) => void;
  #fingerprint: string | undefined;
  #isClosed = false;

  constructor(
    secure: (fingerprint: string) => string | undefined,
    close: (fingerprint: string | undefined) => void,
  ) {
    this.#secure = secure;
    this.#close = close;
  }

  /** Its client has this certificate. Returns the limit that the connection exceeds. */
  secured(fingerprint: string): string | undefined {
    const exceeded = this.#secure(fingerprint);
    if (exceeded === undefined) this.#fingerprint = fingerprint;
    return exceeded;
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#close(this.#fingerprint);
  }
}

function add(counts: Map<string, number>, key: string, count: number): void {
  const sum = (counts.get(key) ?? 0) + count;
  if (sum > 0) counts.set(key, sum);
  else counts.delete(key);
}
