import { LoggingNotifier } from './logging-notifier.ts';
import type { Notifier } from './notifier.ts';
import type { PagerDutyNotifierOptions, PagerDutySettings } from './pagerduty-notifier.ts';
import { PagerDutyNotifier } from './pagerduty-notifier.ts';

/** PagerDuty when it is configured, otherwise the log. */
export function createNotifier(settings: PagerDutySettings | undefined, options: NotifierOptions): Notifier {
  if (settings === undefined) return new LoggingNotifier(options.logger, options.clock);
  const { integrationKey } = settings;
  if (!/^[0-9a-zA-Z]{32}$/.test(integrationKey.trim())) {
    options.logger.warn(
      { integrationKey: `...${integrationKey.trim().slice(-4)}` },
      'The integration key does not look like a PagerDuty key (32 letters and digits)',
    );
  }
  return new PagerDutyNotifier({
    ...options,
    settings: { ...settings, integrationKey: integrationKey.trim() },
  });
}

export type NotifierOptions = Omit<PagerDutyNotifierOptions, 'settings'>;
