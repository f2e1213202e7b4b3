/**
 * The number of entries between a cursor that is gone and the first entry after it; undefined: unknown. The entries of
 * one journald are numbered without gaps, and a cursor has the number (`i`) and the identity of the numbering (`s`).
 */
export function entriesBetween(gone: string, next: string | undefined): number | undefined {
  const [from, to] = [numberIn(gone), next === undefined ? undefined : numberIn(next)];
  if (from === undefined || to === undefined || from.source !== to.source) return undefined;
  return Math.max(0, to.number - from.number - 1);
}

function numberIn(cursor: string): { readonly source: string; readonly number: number } | undefined {
  const [, source, number] = /(?:^|;)s=([0-9a-f]+);i=([0-9a-f]{1,13})(?:;|$)/.exec(cursor) ?? [];
  if (source === undefined || number === undefined) return undefined;
  return { source, number: Number.parseInt(number, 16) };
}
