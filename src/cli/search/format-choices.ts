/** The names of formats as an operator writes them, with the one that needs a description. */
export function formatChoices(names: readonly string[]): string {
  return names.map((name) => (name === 'access' ? 'access:FORMAT' : name)).join(', ');
}
