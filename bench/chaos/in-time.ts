import { setTimeout as sleep } from 'node:timers/promises';

export interface TimedPlan {
  readonly rounds: number;
  readonly say: (text: string) => void;
  /** Default: far more than a sound run takes. */
  readonly deadlineMs?: number;
}

const ROUND_DEADLINE_MS = 20_000;
const REST_DEADLINE_MS = 10 * 60_000;

/** Throws when `play` does not come to its end, with what it said last. */
export async function inTime<T>(
  { rounds, say, deadlineMs = rounds * ROUND_DEADLINE_MS + REST_DEADLINE_MS }: TimedPlan,
  play: (say: (text: string) => void) => Promise<T>,
): Promise<T> {
  let doing = 'The stage is set';
  const deadline = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: deadline.signal }).then((): never => {
    const seconds = Math.round(deadlineMs / 1000);
    throw new Error(`chaos has not come to its end within ${seconds} s. Its last word was: ${doing}`);
  });
  const played = play((text) => {
    doing = text;
    say(text);
  });
  // Whichever loses the race fails unheard.
  for (const either of [played, late]) either.catch(() => {});
  try {
    return await Promise.race([played, late]);
  } finally {
    deadline.abort();
  }
}
