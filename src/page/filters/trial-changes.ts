import type { ShownRecord } from '../api/status.ts';

export interface RecordChange {
  readonly name: string;
  /** As JSON, texts without quotes; undefined: the record did not have it. */
  readonly before: string | undefined;
  /** undefined: the filter removed it. */
  readonly after: string | undefined;
}

/** What a filter changed of a record: nested objects by their paths. */
export function changesOf(before: ShownRecord, after: ShownRecord): readonly RecordChange[] {
  const old = leavesOf(before);
  const now = leavesOf(after);
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((name) => ({ name, before: old.get(name), after: now.get(name) }))
    .filter((change) => change.before !== change.after);
}

function leavesOf(value: unknown): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  const visit = (part: unknown, path: string) => {
    if (typeof part === 'object' && part !== null && !Array.isArray(part) && Object.keys(part).length > 0) {
      for (const [name, each] of Object.entries(part)) visit(each, path === '' ? name : `${path}.${name}`);
    } else leaves.set(path, typeof part === 'string' ? part : JSON.stringify(part));
  };
  visit(value, '');
  return leaves;
}
