import type { AttributeValue } from '../records/log-record.ts';
import type { FilterRun } from './filter-run.ts';

export const TAGS = 'tags';
const MAX_TAGS = 1000;

export function tagsOf(run: FilterRun): readonly AttributeValue[] {
  const tags = run.record.attributes.get(TAGS);
  if (tags === undefined || tags === null) return [];
  return Array.isArray(tags) ? (tags as readonly AttributeValue[]) : [tags];
}

/** Adds a tag, unless the record has it. */
export function addTag(run: FilterRun, tag: string): void {
  const tags = tagsOf(run);
  if (tag === '' || tags.includes(tag) || tags.length >= MAX_TAGS) return;
  run.change().attributes.set(TAGS, [...tags, tag]);
}

export function removeTag(run: FilterRun, tag: string): void {
  const tags = tagsOf(run);
  if (!tags.includes(tag)) return;
  const rest = tags.filter((each) => each !== tag);
  if (rest.length === 0) run.change().attributes.delete(TAGS);
  else run.change().attributes.set(TAGS, rest);
}
