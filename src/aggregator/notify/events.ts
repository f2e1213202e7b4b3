import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type Incident, incidentName } from './notifier.ts';

/** What happens on the way to people, logged and counted in one place. */
export interface NotifyEvents {
  sent(incident: Incident, action: NotifyAction): void;
  failed(incident: Incident, failure: { action: NotifyAction; reason: string; delayMs: number }): void;
  /** For so long that nobody may know. */
  unheard(incident: Incident, reason: string): void;
  refused(incident: Incident, action: NotifyAction, reason: string): void;
  open(count: number): void;
  unsaved(error: unknown): void;
}

export type NotifyAction = 'trigger' | 'resolve';

export function createNotifyEvents(logger: Logger, metrics: Registry): NotifyEvents {
  const registers = [metrics];
  const sent = new Counter({
    name: 'aggregator_notify_events_total',
    help: 'Events that PagerDuty has taken.',
    labelNames: ['action'],
    registers,
  });
  const failures = new Counter({
    name: 'aggregator_notify_failures_total',
    help: 'Attempts to reach PagerDuty that failed.',
    registers,
  });
  const open = new Gauge({
    name: 'aggregator_notify_open_incidents',
    help: 'Incidents that are open.',
    registers,
  });
  return {
    sent: (incident, action) => {
      sent.inc({ action });
      logger.info({ incident: incidentName(incident), action }, 'PagerDuty was told.');
    },
    failed: (incident, failure) => {
      failures.inc();
      logger.warn({ incident: incidentName(incident), ...failure }, 'PagerDuty could not be told yet.');
    },
    unheard: (incident, reason) =>
      logger.error(
        { incident: incidentName(incident), reason },
        'PagerDuty could not be told for half an hour; nobody may know.',
      ),
    refused: (incident, action, reason) => {
      failures.inc();
      logger.error(
        { incident: incidentName(incident), action, reason },
        'PagerDuty refused an event for good.',
      );
    },
    open: (count) => open.set(count),
    unsaved: (error) => logger.error({ err: error }, 'The state of incidents could not be saved.'),
  };
}
