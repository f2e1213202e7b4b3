/** What peers may make the intake hold. */
export interface IntakeLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly connectionsPerCertificate: number;
  /** Of messages that have begun to come and are not complete, over all calls. */
  readonly unfinishedBytes: number;
  /** From the first byte of a message to its last, as long as the call is read. */
  readonly messageWithinMs: number;
  readonly handshakeWithinMs: number;
  /** Streams that are open on all calls together; each costs about 200 bytes. */
  readonly openStreams: number;
}

/** Collectors use one connection and one call each. */
export const INTAKE_LIMITS: IntakeLimits = {
  connections: 1024,
  connectionsPerAddress: 512,
  connectionsPerCertificate: 512,
  unfinishedBytes: 64 * 1024 * 1024,
  messageWithinMs: 60_000,
  handshakeWithinMs: 10_000,
  openStreams: 262_144,
};

/** No address, and no certificate, can use up all connections. */
export function connectionLimits(connections: number): Partial<IntakeLimits> {
  const half = Math.floor(connections / 2);
  return { connections, connectionsPerAddress: half, connectionsPerCertificate: half };
}
