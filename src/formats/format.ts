import type { ParsedRecord } from '../records/log-record.ts';
import type { Resource } from '../records/resource.ts';

/**
 * How the bytes of one record are read. Pure: no I/O, no clock, no state between records.
 *
 * `parse` never throws and never drops anything. Bytes that are not what the format expects are read as `plain`, with
 * the attribute `megacollector.parse_error` that says why; bytes that are not UTF-8 are read with U+FFFD in their
 * place, with the attribute `megacollector.invalid_utf8`.
 *
 * The body is what a person would call the message. Most formats have no such thing apart from the record itself, and
 * then it is the record without one trailing LF or CRLF. Emitters that write "bodies" as text do not ask for it where
 * the record is text already (`lines`): they write the record's own bytes, which need not be parsed at all.
 */
export interface Format {
  /** `plain`, `combined`, `json`, ... */
  readonly name: string;
  readonly description: string;
  /** The bytes of a record are text with its own line ending. */
  readonly lines: boolean;
  /** `resource`: for the few formats whose bytes do not say everything (`logfebe`: the sender's version). */
  parse(bytes: Uint8Array, resource?: Resource): ParsedRecord;
}
