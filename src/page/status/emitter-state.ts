import type { EmitterStatus } from '../api/status.ts';
import { duration, shortNumber } from '../text/numbers.ts';

const FINE = ['running', 'ok', 'idle', 'delivering'];

export function isFailing({ state, problem }: EmitterStatus): boolean {
  return problem != null || (state !== undefined && !FINE.includes(state));
}

/** `up to date`, `12.3k queued` */
export function queuedOf({ queued }: EmitterStatus): string {
  return queued.records === 0 ? 'up to date' : `${shortNumber(queued.records)} queued`;
}

/** When an emitter with queued records will have delivered all of them, at the rates of the last minute. */
export function catchUpText({ queued, catchUpSeconds }: EmitterStatus): string {
  if (queued.records === 0) return '';
  if (catchUpSeconds === undefined) return '';
  return catchUpSeconds === null ? 'not at this rate' : duration(catchUpSeconds);
}
