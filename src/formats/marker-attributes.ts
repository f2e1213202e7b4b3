/**
 * Attributes in which a format reports what it could not read unchanged. They begin with `megacollector.`,
 * unlike those of OpenTelemetry.
 */

/** The reason why the record is not in its format. Its body is the record as received. */
export const PARSE_ERROR = 'megacollector.parse_error';

/** `true`: the record has bytes that are not valid in UTF-8, or in its encoding; U+FFFD replaces them. */
export const INVALID_UTF8 = 'megacollector.invalid_utf8';

/** `cut` or `unterminated`: the record is incomplete. See `RecordMark`. */
export const RECORD_MARK = 'megacollector.record_mark';

/**
 * The encoding in which the texts of a record were read, because they are not UTF-8: `windows-1252`. The
 * record does not name its encoding.
 */
export const ENCODING_GUESSED = 'megacollector.encoding_guessed';

/** The rest of the record after the part that the format knows. */
export const UNPARSED = 'megacollector.unparsed';

/**
 * A resource attribute: a collector does not parse, but it can determine the time of its records. `observed`:
 * the time of reading instead of the time in the records.
 */
export const TIME_SOURCE = 'megacollector.time';
export const OBSERVED_TIME = 'observed';

/**
 * An attribute of a resource or a peer: the zone of times that have none, as an IANA name (`Europe/Paris`) or
 * an offset (`+02:00`). The source sets it from its configuration; no output contains it.
 */
export const TIME_ZONE = 'megacollector.timezone';

/**
 * A resource attribute: what the operator has described of the format of the records, such as the format string
 * of an access log. No output contains it. It is not part of the format's name, because an aggregator of an
 * earlier version accepts only short names, and reads `json` even if it does not know the options.
 */
export const FORMAT_OPTIONS = 'megacollector.format_options';

/**
 * A resource attribute: the encoding of the bytes of the records, if it is not UTF-8. No output contains it. An
 * aggregator of an earlier version reads the bytes as UTF-8 and shows the attribute.
 */
export const ENCODING = 'megacollector.encoding';

/**
 * An attribute of a peer: resource and scope of a log record of OTLP, as a `ResourceLogs` without log records in Base64.
 * No output contains it: the format `otlp` adds its attributes to those of the record.
 */
export const OTLP_CONTEXT = 'megacollector.otlp_context';

/**
 * An attribute of a peer: the labels of a stream of Loki, as a JSON object. No output contains it: the format `http-loki`
 * adds the labels to the attributes of the record.
 */
export const LOKI_LABELS = 'megacollector.loki_labels';

/** Attributes of a resource or a peer that only formats read. */
export const INTERNAL_ATTRIBUTES: readonly string[] = [
  TIME_ZONE,
  FORMAT_OPTIONS,
  ENCODING,
  OTLP_CONTEXT,
  LOKI_LABELS,
];

/** The record's own time, in digits, when a store cannot store it: before 1970 or after 2199. */
export const IMPOSSIBLE_TIME = 'megacollector.time_unix_nano';

/** The text of the record's time when it cannot be parsed. */
export const TIME_RAW = 'megacollector.time_raw';

/** `true`: the record is not strict JSON (`NaN`, `\\x22`) and was read all the same. */
export const LENIENT_JSON = 'megacollector.lenient_json';

/**
 * For a JSON object with equal keys: the earlier values, a list for each key. The key itself has the last
 * value.
 */
export const EARLIER_VALUES = 'megacollector.earlier_values';
