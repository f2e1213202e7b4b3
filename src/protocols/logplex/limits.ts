/**
 * Maximum message size of a logplex server in bytes, without the length prefix. If one message is longer, the
 * server treats the whole request as malformed and rejects all its messages.
 */
export const MAX_MESSAGE_BYTES = 10_240;

/** Maximum size of a request body. */
export const MAX_BODY_BYTES = 100 * 1024;

/** The exact media type that the server requires. */
export const CONTENT_TYPE = 'application/logplex-1';
