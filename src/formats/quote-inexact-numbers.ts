/**
 * JSON has numbers of any size, JavaScript has doubles: `12345678901234567890` would silently become
 * `12345678901234567000`. So a number that would lose digits, or become infinite, is converted to a string of
 * the same digits. So are amounts such as `1234567890123456.78`.
 */

/** Numbers with fewer than sixteen digits and without a three-digit exponent are always exact. */
const MAY_HOLD_INEXACT = /[\d.]{16}|[eE][+-]?\d{3}/;

/** Quotes these numbers in valid JSON text. */
export function quoteInexactNumbers(json: string): string {
  if (!MAY_HOLD_INEXACT.test(json)) return json;
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < json.length; ) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(json, at);
      const number = json.slice(at, end);
      if (!survives(number)) {
        parts.push(json.slice(copied, at), '"', number, '"');
        copied = end;
      }
      at = end;
    } else at++;
  }
  parts.push(json.slice(copied));
  return parts.join('');
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at++;
  }
  return json.length;
}

function endOfNumber(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && (isDigit(json.charCodeAt(at)) || '.eE+-'.includes(json.charAt(at)))) at++;
  return at;
}

function survives(number: string): boolean {
  const value = Number(number);
  if (!Number.isFinite(value)) return false;
  return Number.isSafeInteger(value) && /^-?\d+$/.test(number)
    ? true
    : decimalOf(number) === decimalOf(String(value));
}

/** The digits of a number without zeros at either end, and the exponent: equal for equal numbers. */
function decimalOf(number: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = withoutTrailingZeros(digits);
  if (significant === '') return '0';
  const shift = Number(exponent) - fraction.length + digits.length - significant.length;
  return `${sign}${significant}e${shift}`;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]\+?(-?\d+))?$/;

function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}
