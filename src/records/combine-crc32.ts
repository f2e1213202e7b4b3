/**
 * The CRC-32 of A followed by B, from the CRC-32 of each and the length of B. Its cost does not depend on the number of
 * bytes: bytes that were summed once are not read again.
 *
 * Appending B multiplies the polynomial of A by x^(8 * length of B), modulo the polynomial of CRC-32. This is zlib's
 * `crc32_combine`, which Node.js does not have. The function is its own inverse: with the CRC-32 of A and of A followed
 * by B it returns that of B.
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  return (multiply(powerOfX(secondLength), first) ^ second) >>> 0;
}

/** Of RFC 1952, reflected: the highest bit is the coefficient of x^0. */
const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;

/** The product of two polynomials, modulo the polynomial of CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}

/** x^(8 * 2^n) for each n. */
const POWERS = powers();

function powers(): readonly number[] {
  // x^8
  const result = [ONE >>> 8];
  for (let n = 1; n < 53; n++) {
    const previous = result[n - 1] ?? ONE;
    result.push(multiply(previous, previous));
  }
  return result;
}

/** x^(8 * bytes) */
function powerOfX(bytes: number): number {
  let power = ONE;
  for (let rest = bytes, n = 0; rest > 0; rest = Math.floor(rest / 2), n++) {
    if (rest % 2 === 1) power = multiply(POWERS[n] ?? ONE, power);
  }
  return power;
}
