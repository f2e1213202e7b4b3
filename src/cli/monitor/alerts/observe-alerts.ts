import type { AggregatorApi } from '../api/aggregator-api.ts';
import { ApiError } from '../api/api-error.ts';
import { ChangeLines } from './change-lines.ts';
import type { Display, DisplayOptions } from './display.ts';
import { LiveTable } from './live-table.ts';

/**
 * Requests the alerts repeatedly until `signal` aborts; then it rejects with the signal's reason. If the
 * aggregator becomes unreachable, this is shown once and does not end the loop, except in the first round.
 */
export async function observeAlerts(options: ObserveAlertsOptions, signal: AbortSignal): Promise<void> {
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

export interface ObserveAlertsOptions extends DisplayOptions {
  readonly api: Pick<AggregatorApi, 'alerts'>;
}

function displayFor(options: DisplayOptions): Display {
  const { json, terminal } = options;
  return terminal.isTerminal && !json ? new LiveTable(options) : new ChangeLines(options);
}
