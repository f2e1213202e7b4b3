import { harmless } from './terminal/harmless.ts';

export function segmentText(segment: string | null): string {
  if (segment === null) return '(none)';
  return segment === '' ? '(empty)' : harmless(segment);
}
