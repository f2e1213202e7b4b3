/** The name of a field: journald accepts capital letters, digits and underscores, at most 64. */
export function isFieldName(name: string): boolean {
  return /^[A-Z_][A-Z0-9_]{0,63}$/.test(name);
}
