import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

export type NotifyAction = 'trigger' | 'resolve';

interface Attempt {
  /** `incidentName` of the incident. */
  readonly incident: string;
  readonly action: NotifyAction;
}

export const NOTIFY_METRICS = metricTable('aggregator_notify_', {
  sent: counter('events_total', 'Events that PagerDuty accepted', { labels: ['action'] }),
  failures: counter('failures_total', 'Failed attempts to send an event to PagerDuty', {
    alarm: 'rises: operators may not know of an incident',
  }),
  open: gauge('open_incidents', 'Open incidents'),
});

export const NOTIFY_EVENTS = defineEvents(NOTIFY_METRICS, (event) => ({
  sent: event<Attempt>({
    info: 'Sent an event to PagerDuty',
    count: ({ sent }, { action }) => sent.inc(1, { action }),
  }),
  failed: event<Attempt & { readonly reason: string; readonly delayMs: number }>({
    warn: 'Cannot send an event to PagerDuty; trying again',
    count: ({ failures }) => failures.inc(),
  }),
  /** PagerDuty was unreachable for so long that operators may not know of the incident. */
  undeliverable: event<Attempt & { readonly reason: string }>({
    error: 'Cannot send an event to PagerDuty for half an hour',
  }),
  refused: event<Attempt & { readonly reason: string }>({
    error: 'PagerDuty rejected an event permanently',
    count: ({ failures }) => failures.inc(),
  }),
  open: event<{ readonly incidents: number }>({ count: ({ open }, { incidents }) => open.set(incidents) }),
  unsaved: event<{ readonly err: unknown }>({ error: 'Cannot save the state of incidents' }),
}));

export type NotifyEvents = Reports<typeof NOTIFY_EVENTS.definitions>;
