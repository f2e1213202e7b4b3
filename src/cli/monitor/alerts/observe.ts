import type { AggregatorApi } from '../api/aggregator-api.ts';
import { ApiError } from '../api/api-error.ts';
import { ChangeLines } from './change-lines.ts';
import type { Display, DisplayOptions } from './display.ts';
import { LiveTable } from './live-table.ts';

export interface ObserveOptions extends DisplayOptions {
  readonly api: Pick<AggregatorApi, 'alerts'>;
}

/**
 * Asks for the alerts again and again, until `signal`: then it rejects with its reason. That the aggregator is away is
 * said, once, and does not end it; unless it was never there.
 */
export async function observe(options: ObserveOptions, signal: AbortSignal): Promise<void> {
  const { api, clock, refreshSeconds } = options;
  const display = displayFor(options);
  let isFirst = true;
  try {
    for (;;) {
      try {
        display.show(await api.alerts());
        isFirst = false;
      } catch (error) {
        if (isFirst || !(error instanceof ApiError && error.isTransient)) throw error;
        display.away(error.message);
      }
      await clock.sleep(refreshSeconds * 1000, signal);
    }
  } finally {
    display.close();
  }
}

function displayFor(options: DisplayOptions): Display {
  const { json, terminal } = options;
  return terminal.isTerminal && !json ? new LiveTable(options) : new ChangeLines(options);
}
