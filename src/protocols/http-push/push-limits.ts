/** Limits of one request. They bound the work that a client can cause, besides the size of its request. */
export const PUSH_LIMITS = {
  /** Records of one request. */
  requestRecords: 100_000,
  /** The records together, when the request is not their encoding: more than the journal accepts at a time. */
  encodedBytes: 16 * 1024 * 1024,
  /** Levels of lists and objects in a JSON value. */
  jsonDepth: 500,
  /** The labels of a stream, as text. */
  labelsBytes: 64 * 1024,
} as const;

export const TOO_MANY_RECORDS = `A request must have at most ${PUSH_LIMITS.requestRecords} records. Send fewer records in a request.`;
