import { sanitizeForTerminal } from './terminal/sanitize-for-terminal.ts';

export function segmentText(segment: string | null): string {
  if (segment === null) return '(none)';
  return segment === '' ? '(empty)' : sanitizeForTerminal(segment);
}
