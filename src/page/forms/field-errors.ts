import type { Problem } from '../api/problem.ts';

/** The message of a problem about this field of a request, or a part of it. */
export function errorOf(problem: Problem | undefined, path: string): string | undefined {
  return problem?.details.find((each) => each.path === path || each.path?.startsWith(`${path}.`) === true)
    ?.message;
}

/** The messages about none of these fields. */
export function otherErrors(problem: Problem | undefined, paths: readonly string[]): readonly string[] {
  if (problem === undefined) return [];
  const others = problem.details.filter(
    ({ path = '' }) => !paths.some((each) => path === each || path.startsWith(`${each}.`)),
  );
  if (others.length > 0)
    return others.map(({ path, message }) => (path === undefined ? message : `${path}: ${message}`));
  return problem.details.length > 0 ? [] : [problem.message];
}
