import { setTimeout as sleep } from 'node:timers/promises';

export interface TimedPlan {
  readonly rounds: number;
  readonly say: (text: string) => void;
  /** Default: far more than a normal run needs. */
  readonly deadlineMs?: number;
}

const ROUND_DEADLINE_MS = 20_000;
const REST_DEADLINE_MS = 10 * 60_000;

/** Throws if `play` does not finish in time, with its last message. */
export async function inTime<T>(
  { rounds, say, deadlineMs = rounds * ROUND_DEADLINE_MS + REST_DEADLINE_MS }: TimedPlan,
  play: (say: (text: string) => void) => Promise<T>,
): Promise<T> {
  let doing = 'Everything is prepared';
  const deadline = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: deadline.signal }).then((): never => {
    const seconds = Math.round(deadlineMs / 1000);
    throw new Error(`chaos did not finish within ${seconds} s. Its last message was: ${doing}`);
  });
  const played = play((text) => {
    doing = text;
    say(text);
  });
  // The loser of the race may reject, which is ignored.
  for (const either of [played, late]) either.catch(() => {});
  try {
    return await Promise.race([played, late]);
  } finally {
    deadline.abort();
  }
}
