/** Limits of one request. They bound the work that a client can cause, besides the size of its request. */
export const OTLP_LIMITS = {
  /** Log records of one request. */
  requestRecords: 100_000,
  /** Levels of lists and maps in a value. The decoder of protobuf has a limit of 100 messages. */
  valueDepth: 32,
} as const;
