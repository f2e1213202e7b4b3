import type { Logger } from 'pino';
import type { Cancel, Clock } from '../runtime/clock.ts';
import type { Publisher } from './publisher/publisher.ts';

const PATIENCE_MS = 3_000;

/**
 * Who reads one file from a terminal may not know that somebody has to take it: says so, once. The publisher goes on
 * trying.
 */
export function awaitAggregator(
  publisher: Pick<Publisher, 'connectedTo'>,
  {
    addresses,
    clock,
    logger,
  }: { readonly addresses: readonly string[]; readonly clock: Clock; readonly logger: Logger },
): Cancel {
  return clock.after(PATIENCE_MS, () => {
    if (publisher.connectedTo !== undefined) return;
    logger.warn(
      { addresses },
      'No aggregator answers yet; `mega-collector aggregator` starts one here. Waiting for it.',
    );
  });
}
