import type { Logger } from 'pino';
import type { Clock } from '../../runtime/clock.ts';
import {
  type Incident,
  type IncidentDetails,
  incidentName,
  type Notifier,
  type NotifierReport,
} from './notifier.ts';

/**
 * Logs incidents when no other notifier is configured: one line a minute for each incident, with summed
 * amounts.
 */
export class LoggingNotifier implements Notifier {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #open = new Map<string, OpenIncident>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  trigger(incident: Incident, { reason, ...added }: IncidentDetails): void {
    const name = incidentName(incident);
    const before = this.#open.get(name);
    const nowMs = this.#clock.monotonicMs();
    const isDue = before === undefined || nowMs - before.loggedMs >= INTERVAL_MS;
    const sum = {
      records: (before?.records ?? 0) + added.records,
      bytes: (before?.bytes ?? 0) + added.bytes,
      attempts: (before?.attempts ?? 0) + added.attempts,
    };
    const sinceUnixNano = before?.sinceUnixNano ?? added.sinceUnixNano ?? this.#clock.nowUnixNano();
    this.#open.set(name, {
      incident,
      reason,
      sinceUnixNano,
      ...sum,
      loggedMs: isDue ? nowMs : before.loggedMs,
    });
    if (isDue) this.#logger.error({ incident: name, reason, ...sum }, 'An incident is open');
  }

  resolve(incident: Incident): void {
    const name = incidentName(incident);
    if (this.#open.delete(name)) this.#logger.info({ incident: name }, 'An incident is resolved');
  }

  openIncidents(): readonly Incident[] {
    return [...this.#open.values()].map(({ incident }) => incident);
  }

  report(): NotifierReport {
    const openIncidents = Array.from(this.#open, ([key, { reason, sinceUnixNano }]) => ({
      key,
      summary: reason.slice(0, MAX_CHARACTERS),
      since: new Date(Number(sinceUnixNano / 1_000_000n)).toISOString(),
    }));
    return { openIncidents, lastError: undefined };
  }
}

const INTERVAL_MS = 60_000;
const MAX_CHARACTERS = 1000;

interface OpenIncident {
  readonly incident: Incident;
  /** Of the last trigger. */
  readonly reason: string;
  readonly sinceUnixNano: bigint;
  readonly records: number;
  readonly bytes: number;
  readonly attempts: number;
  readonly loggedMs: number;
}
