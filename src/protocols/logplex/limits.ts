/**
 * The longest message that a logplex server reads, in bytes, without its length prefix. A longer one is not "too big":
 * the server takes the whole request for malformed and refuses every message in it.
 */
export const MAX_MESSAGE_BYTES = 10_240;

/** A request's body is closed before it would grow beyond this. */
export const MAX_BODY_BYTES = 100 * 1024;

/** The media type that the server wants, to the letter. */
export const CONTENT_TYPE = 'application/logplex-1';
