/**
 * Attributes by which a format says what it could not read as it is. They begin with `megacollector.`, and none of
 * OpenTelemetry's does.
 */

/** The record is not in its format: why, in words. Its body is the record as it came. */
export const PARSE_ERROR = 'megacollector.parse_error';

/** `true`: the record has bytes that are not UTF-8; U+FFFD stands in their place. */
export const INVALID_UTF8 = 'megacollector.invalid_utf8';

/** `cut` or `unterminated`: the record is not whole. See `RecordMark`. */
export const RECORD_MARK = 'megacollector.record_mark';

/** What followed the part of the record that the format knows. */
export const UNPARSED = 'megacollector.unparsed';

/**
 * Of a resource, not of a record: a collector does not parse, but it can say what its records' time is to be. `observed`:
 * when they were read, whatever they say themselves.
 */
export const TIME_SOURCE = 'megacollector.time';
export const OBSERVED_TIME = 'observed';

/** The record's own time, in digits, where a store cannot take it: it lies before 1970 or after 2199. */
export const IMPOSSIBLE_TIME = 'megacollector.time_unix_nano';

/** The text of the record's time, where it is no moment that is understood. */
export const TIME_RAW = 'megacollector.time_raw';

/** `true`: the record is not strict JSON (`NaN`, `\\x22`) and was read all the same. */
export const LENIENT_JSON = 'megacollector.lenient_json';

/** Of a JSON object with equal keys: the earlier values, a list for each key. The last value has the key itself. */
export const EARLIER_VALUES = 'megacollector.earlier_values';
