const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const TIME = '\\d{2}:\\d{2}:\\d{2}(?:[.,]\\d{1,9})?';
const ZONE = '(?: ?(?:Z|UTC|GMT|[+-]\\d{2}:?\\d{2}))?';

/**
 * The forms of a date with a time at the beginning of a log message. None has a repetition within a repetition, so each
 * is matched in one pass.
 */
const FORMS: readonly RegExp[] = [
  // 2026-11-28T12:00:00.123+01:00, 2026-11-28 12:00:00,123, 2026/11/28 12:00:00
  `\\d{4}[-/.]\\d{2}[-/.]\\d{2}[T ]${TIME}${ZONE}`,
  // Nov 28 12:00:00, Nov 28 2026 12:00:00
  `${MONTH} [ \\d]?\\d (?:\\d{4} )?${TIME}${ZONE}`,
  // Sat Nov 28 12:00:00 2026
  `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? ${MONTH} [ \\d]?\\d ${TIME}${ZONE}(?: \\d{4})?`,
  // 28/Nov/2026:12:00:00 +0100, 28-Nov-2026 12:00:00
  `\\d{1,2}[-/ ]${MONTH}[-/ ]\\d{4}[: ]${TIME}${ZONE}`,
  // 28/11/2026 12:00:00, 28.11.2026 12:00:00
  `\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{4} ${TIME}${ZONE}`,
  // 20261128 12:00:00, 20261128T120000Z
  `\\d{8}[T ](?:${TIME}|\\d{6})${ZONE}`,
].map((form) => new RegExp(form, 'y'));

/** The end of the date with a time that begins at `from`; undefined when there is none. */
export function dateTimeEnd(text: string, from: number): number | undefined {
  for (const form of FORMS) {
    form.lastIndex = from;
    if (form.test(text)) return form.lastIndex;
  }
  return undefined;
}
