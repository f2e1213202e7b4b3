import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type Incident, incidentName } from './notifier.ts';

/** Logs and counts the events of the notifier. */
export interface NotifyEvents {
  sent(incident: Incident, action: NotifyAction): void;
  failed(incident: Incident, failure: { action: NotifyAction; reason: string; delayMs: number }): void;
  /** PagerDuty was unreachable for so long that operators may not know of the incident. */
  undeliverable(incident: Incident, reason: string): void;
  refused(incident: Incident, action: NotifyAction, reason: string): void;
  open(count: number): void;
  unsaved(error: unknown): void;
}

export type NotifyAction = 'trigger' | 'resolve';

export function createNotifyEvents(logger: Logger, metrics: Registry): NotifyEvents {
  const registers = [metrics];
  const sent = new Counter({
    name: 'aggregator_notify_events_total',
    help: 'Events that PagerDuty accepted.',
    labelNames: ['action'],
    registers,
  });
  const failures = new Counter({
    name: 'aggregator_notify_failures_total',
    help: 'Failed attempts to send an event to PagerDuty.',
    registers,
  });
  const open = new Gauge({
    name: 'aggregator_notify_open_incidents',
    help: 'Open incidents.',
    registers,
  });
  return {
    sent: (incident, action) => {
      sent.inc({ action });
      logger.info({ incident: incidentName(incident), action }, 'Sent an event to PagerDuty');
    },
    failed: (incident, failure) => {
      failures.inc();
      logger.warn(
        { incident: incidentName(incident), ...failure },
        'Cannot send an event to PagerDuty; trying again',
      );
    },
    undeliverable: (incident, reason) =>
      logger.error(
        { incident: incidentName(incident), reason },
        'Cannot send an event to PagerDuty for half an hour',
      ),
    refused: (incident, action, reason) => {
      failures.inc();
      logger.error(
        { incident: incidentName(incident), action, reason },
        'PagerDuty rejected an event permanently',
      );
    },
    open: (count) => open.set(count),
    unsaved: (error) => logger.error({ err: error }, 'Cannot save the state of incidents'),
  };
}
