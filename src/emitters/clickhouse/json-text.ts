/**
 * JSON in the form that ClickHouse reads: its parser refuses a whole text because of one integer beyond 64 bits, so
 * integers with as many digits are written with a fraction. They are doubles in JavaScript, too.
 */
export function jsonText(json: string): string {
  if (!MANY_DIGITS.test(json)) return json;
  return json.replaceAll(TEXT_OR_INTEGER, (token) => (token.startsWith('"') ? token : `${token}.0`));
}

/** All integers of 18 digits fit into 64 bits. */
const MANY_DIGITS = /\d{19}/;
const TEXT_OR_INTEGER = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{19,}(?![\d.eE])/gs;
