/** Text that is a number, as a pattern: no exponent, and so few digits that no double is too small for it. */
export const DECIMAL_TEXT = '^-?[0-9]{1,30}([.][0-9]{1,30})?$';
