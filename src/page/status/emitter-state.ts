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

/** Records wait this long for their batch to be complete. */
const NORMAL_LAG_SECONDS = 20;

/** When an emitter that is late will have delivered everything, at the rates of the last minute. */
export function catchUpText({ queued, lagSeconds, catchUpSeconds }: EmitterStatus): string {
  if (queued.records === 0 || lagSeconds === undefined || lagSeconds < NORMAL_LAG_SECONDS) return '';
  return catchUpSeconds === undefined ? 'not at this rate' : duration(catchUpSeconds);
}
