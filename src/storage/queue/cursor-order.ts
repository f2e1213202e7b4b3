import type { CursorPoint } from './queue-contract.ts';

/** Whether `a` is before `b` in the queue. */
export function isBefore(a: CursorPoint, b: CursorPoint): boolean {
  return a.entry < b.entry || (a.entry === b.entry && a.record < b.record);
}

export function laterOf(a: CursorPoint, b: CursorPoint): CursorPoint {
  return isBefore(a, b) ? b : a;
}
