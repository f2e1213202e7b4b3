import type { ConfigurationWarning, Environment } from './configuration.ts';

/** Warns of each unknown variable with this prefix. Never an error: other programs may set variables. */
export function unknownVariables(
  prefix: string,
  known: readonly string[],
  environment: Environment,
): readonly ConfigurationWarning[] {
  const names = new Set(known);
  return Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && environment[name] !== undefined)
    .filter((name) => !names.has(name) && !KUBERNETES.test(name))
    .sort()
    .map((variable) => {
      // The prefix is ignored: otherwise all names would look similar.
      const names = known.map((name) => name.replace(prefix, ''));
      const near = nearestName(variable.slice(prefix.length), names);
      const nearest = near === undefined ? undefined : known[names.indexOf(near)];
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      return { variable, message: `is not known and has no effect${hint}` };
    });
}

/**
 * The variables that Kubernetes adds for a service of this name: `AGGREGATOR_PORT`,
 * `AGGREGATOR_SERVICE_HOST`, `AGGREGATOR_PORT_8000_TCP_ADDR`.
 */
const KUBERNETES =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** The name with the fewest edits; undefined if none is similar. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  let nearest: string | undefined;
  // A short name may have one wrong letter or two swapped ones, a longer one two, or a third of its letters.
  let fewest = (name.length < 5 ? 1 : Math.max(2, Math.floor(name.length / 3))) + 1;
  for (const candidate of candidates) {
    const edits = editDistance(name, candidate);
    if (edits < fewest) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

/**
 * The fewest insertions, deletions, replacements and swaps of neighbours from one text to the other (optimal string
 * alignment).
 */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swapped = isSwap ? (beforePrevious[j - 2] ?? 0) + 1 : replaced;
      row.push(Math.min(replaced, swapped, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [beforePrevious, previous] = [previous, row];
  }
  return previous[to.length] ?? 0;
}
