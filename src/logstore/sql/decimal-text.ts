/**
 * A pattern for text that is a number: no exponent, and not more digits than the range of a double allows.
 */
export const DECIMAL_TEXT = '^-?[0-9]{1,250}([.][0-9]{1,250})?$';
