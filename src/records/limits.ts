/**
 * Limits of what a peer can make the other side hold, in bytes. Checked on the wire bytes, before anything is
 * inflated or decoded into an array. Both sides contain them; the welcome message also sends them to the
 * collector.
 */
export const LIMITS = {
  /** One gRPC message. */
  messageBytes: 6 * 1024 * 1024,
  /** The records of one batch, uncompressed. */
  batchBytes: 4 * 1024 * 1024,
  batchRecords: 65_536,
  /** One record, line ending included. A longer one is cut, marked and counted. */
  recordBytes: 1024 * 1024,
  resourceEntries: 64,
  /** Keys and values of a resource together. */
  resourceBytes: 16 * 1024,
  formatNameBytes: 64,
  /** Different peers of the records of one batch. */
  batchPeers: 4096,
  /** The attributes of these peers together. */
  batchPeerBytes: 256 * 1024,
  /** Sent and not yet answered on one call, uncompressed. */
  unansweredBytes: 8 * 1024 * 1024,
  /** Streams one call may open. */
  streamsPerCall: 65_536,
} as const;
