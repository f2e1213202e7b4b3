import type { ParsedRecord } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';

/**
 * A format parses the bytes of one record. Pure: no I/O, no clock, no state between records.
 *
 * `parse` never throws and never drops data. Bytes that do not match the format are read as `plain`, with the
 * reason in the attribute `megacollector.parse_error`; bytes that are not UTF-8 are replaced by U+FFFD, with
 * the attribute `megacollector.invalid_utf8`.
 *
 * The body is the message for people. Most formats have no separate message; then the body is the record
 * without one trailing LF or CRLF. Emitters that write bodies as text do not parse records that are already
 * text (`lines`): they write the record's bytes.
 */
export interface Format {
  /** `plain`, `combined`, `json`, ... */
  readonly name: string;
  readonly description: string;
  /** The bytes of a record are text with its own line ending. */
  readonly lines: boolean;
  /**
   * `context`: for what the bytes leave open. `logfebe` reads the version of the sender, and a time without a
   * year or a zone gets both from it.
   */
  parse(bytes: Uint8Array, context?: RecordContext): ParsedRecord;
}
