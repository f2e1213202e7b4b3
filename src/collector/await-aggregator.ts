import type { Logger } from 'pino';
import type { Cancel, Clock } from '../runtime/clock.ts';
import type { Publisher } from './publisher/publisher.ts';

const PATIENCE_MS = 3_000;
const LOOK_EVERY_MS = 500;

interface AwaitOptions {
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long there may be no aggregator; undefined: without end. */
  readonly timeoutMs?: number;
  /** Receives the error after that. */
  readonly fail?: (error: Error) => void;
}

/**
 * For a run that ends by itself: a person or a script waits for it. Logs once that no aggregator answers, and fails when
 * there is none for too long, at the start or later. The publisher tries again all the time.
 */
export function awaitAggregator(publisher: Pick<Publisher, 'connectedTo'>, options: AwaitOptions): Cancel {
  const { addresses, clock, logger, timeoutMs = Number.POSITIVE_INFINITY, fail } = options;
  let awaySinceMs = clock.monotonicMs();
  let isLogged = false;
  const look = (): Cancel => clock.after(LOOK_EVERY_MS, again);
  let cancel = look();
  return () => cancel();

  function again(): void {
    const nowMs = clock.monotonicMs();
    if (publisher.connectedTo !== undefined) awaySinceMs = nowMs;
    const awayMs = nowMs - awaySinceMs;
    if (awayMs >= PATIENCE_MS && !isLogged) {
      isLogged = true;
      logger.warn(
        { addresses },
        'No aggregator answers yet; `mega-collector aggregator` starts one here. Waiting for it.',
      );
    }
    if (awayMs >= timeoutMs) fail?.(unreachable(addresses, timeoutMs));
    else cancel = look();
  }
}

function unreachable(addresses: readonly string[], timeoutMs: number): Error {
  return new Error(
    `Cannot reach an aggregator at ${addresses.join(', ')} within ${timeoutMs / 1000} s. Start one (mega-collector aggregator), ` +
      'name its address with --aggregator-address, or wait longer with --aggregator-timeout.',
  );
}
