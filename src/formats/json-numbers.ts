/**
 * JSON has numbers of any size, JavaScript has doubles: `12345678901234567890` would silently become
 * `12345678901234567000`. A whole number that would not come out as it went in, and one so large that it would be
 * infinite, is therefore made a string of the same digits. Fractions are rounded to the nearest double, as everywhere.
 */

/** Without sixteen digits in a row or an exponent of three, every number survives. */
const MAY_HOLD_INEXACT = /\d{16}|[eE]\+?\d{3}/;

/** Valid JSON text with those numbers in quotes. */
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
  if (!/^-?\d+$/.test(number) || Number.isSafeInteger(value)) return true;
  // Either the same digits come out again, or the same number in fewer (9007199254740992000000000 is 9.007...e24).
  return String(value) === number || BigInt(value) === BigInt(number);
}
