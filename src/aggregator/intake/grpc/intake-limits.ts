/** Limits of connections, and of the messages on them. */
export interface IntakeLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly connectionsPerCertificate: number;
  /** Received bytes of incomplete messages, over all calls. */
  readonly unfinishedBytes: number;
  /** From the first byte of a message to its last, as long as the call is read. */
  readonly messageWithinMs: number;
  readonly handshakeWithinMs: number;
}

/** Collectors use one connection and one call each. */
export const INTAKE_LIMITS: IntakeLimits = {
  connections: 1024,
  connectionsPerAddress: 512,
  connectionsPerCertificate: 512,
  unfinishedBytes: 64 * 1024 * 1024,
  messageWithinMs: 60_000,
  handshakeWithinMs: 10_000,
};

/** One address, or one certificate, cannot use all connections. */
export function connectionLimits(connections: number): Partial<IntakeLimits> {
  const half = Math.floor(connections / 2);
  return { connections, connectionsPerAddress: half, connectionsPerCertificate: half };
}
