import { publishFrequencyMs } from '../../aggregator/config.ts';
import type { StandaloneConfig } from './parse-standalone-config.ts';

const LONGEST_RETRY_DELAY_MS = 5 * 60_000;

/**
 * The maximum time without progress of a run that ends by itself; undefined: no limit. A batch may wait for more
 * records and for its retries before its fate is decided, which is added to the configured time.
 */
export function deliveryTimeoutMs({ collector, aggregator }: StandaloneConfig): number | undefined {
  const { aggregatorTimeoutMs } = collector;
  if (aggregatorTimeoutMs === 0) return undefined;
  const waits = aggregator.emitters.map((emitter) => publishFrequencyMs(aggregator, emitter));
  return aggregatorTimeoutMs + Math.max(0, ...waits) + retriesMs(aggregator);
}

/** A batch that is held has no last retry. */
function retriesMs({ afterRetries, retryCount, retryDelayMs }: StandaloneConfig['aggregator']): number {
  if (afterRetries === 'hold') return 0;
  const delays = Array.from({ length: retryCount }, (_, index) =>
    Math.min(LONGEST_RETRY_DELAY_MS, retryDelayMs * 2 ** index),
  );
  return delays.reduce((sum, delayMs) => sum + delayMs, 0);
}
