import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { InterruptibleWait } from '../../runtime/async/interruptible-wait.ts';
import type { Clock } from '../../runtime/clock.ts';
import { NOTIFY_EVENTS, type NotifyAction, type NotifyEvents } from './events.ts';
import { fromJson, type IncidentRecord, incidentOf, toJson, triggered } from './incident-record.ts';
import {
  type Incident,
  type IncidentDetails,
  incidentName,
  type Notifier,
  type NotifierReport,
  type ResolveOptions,
} from './notifier.ts';
import type { NotifyState } from './notify-state.ts';
import { PagerDutyClient } from './pagerduty-client.ts';
import { dedupKeyOf, type PagerDutyEvent, payloadOf } from './pagerduty-event.ts';

/**
 * Manages incidents in PagerDuty through its Events API v2.
 *
 *     trigger/resolve -> record of the incident (on disk) -> at most one pending event -> PagerDuty
 *
 * It sends only the newest state of an incident, so events cannot overtake each other: a trigger that is
 * resolved before it was sent is never sent, and one that PagerDuty may have received is resolved. It retries
 * without end; after a failure it waits before it sends any event.
 */
export class PagerDutyNotifier implements Notifier {
  readonly #options: PagerDutyNotifierOptions;
  readonly #client: PagerDutyClient;
  readonly #events: NotifyEvents;
  readonly #timer: InterruptibleWait;
  readonly #records = new Map<string, IncidentRecord>();
  /** When the next trigger of an incident may be sent; monotonic. */
  readonly #triggerNotBeforeMs = new Map<string, number>();
  readonly #abort = new AbortController();
  #failures = 0;
  /** Why the last event could not be sent. */
  #lastError: string | undefined;
  #failingSinceMs = 0;
  #retryNotBeforeMs = 0;
  /** From Retry-After. */
  #requestedNotBeforeMs = 0;
  #isStopping = false;
  #running: Promise<void> | undefined;
  #saving: Promise<void> | undefined;
  #isSaveWanted = false;

  constructor(options: PagerDutyNotifierOptions) {
    const { settings, clock, logger, metrics, timeoutMs } = options;
    this.#options = options;
    this.#events = NOTIFY_EVENTS.open({ logger, metrics });
    this.#timer = new InterruptibleWait(clock);
    this.#client = new PagerDutyClient({
      server: settings.server,
      ca: settings.ca,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  }

  async start(): Promise<void> {
    for (const record of fromJson(this.#options.state.load()))
      this.#records.set(incidentName(record), record);
    // Resolves the incidents of emitters that are no longer configured. The monitor decides about alerts.
    for (const record of this.#records.values()) {
      if ('emitter' in record && !this.#options.emitters.includes(record.emitter)) this.resolve(record);
    }
    this.#changed();
    this.#running ??= this.#run();
    await this.#saving;
  }

  /** Sends unsent events once, until the deadline. The rest is on disk. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    this.#retryNotBeforeMs = 0;
    this.#timer.end();
    const abort = () => this.#abort.abort();
    if (deadline.aborted) abort();
    deadline.addEventListener('abort', abort, { once: true });
    await this.#running;
    deadline.removeEventListener('abort', abort);
    await this.#saving;
    this.#client.close();
  }

  trigger(incident: Incident, details: IncidentDetails): void {
    const { clock } = this.#options;
    const name = incidentName(incident);
    const dedupKey = this.#dedupKeyOf(incident);
    const before = this.#records.get(name);
    this.#records.set(name, triggered({ ...incident, dedupKey }, before, details, clock.nowUnixNano()));
    this.#changed();
  }

  resolve(incident: Incident, { mayBeOpenElsewhere }: ResolveOptions = { mayBeOpenElsewhere: false }): void {
    const name = incidentName(incident);
    const record = this.#records.get(name);
    if (record === undefined ? !mayBeOpenElsewhere : !record.isOpen) return;
    if (mayBeOpenElsewhere || record?.mayBeShown) this.#records.set(name, this.#resolved(incident, record));
    else this.#records.delete(name);
    this.#changed();
  }

  #resolved(incident: Incident, record: IncidentRecord | undefined): IncidentRecord {
    const nowUnixNano = this.#options.clock.nowUnixNano();
    const dedupKey = this.#dedupKeyOf(incident);
    const open = record ?? triggered({ ...incident, dedupKey }, undefined, NOTHING_KNOWN, nowUnixNano);
    return { ...open, isOpen: false, mayBeShown: true, isUnsent: true };
  }

  openIncidents(): readonly Incident[] {
    return [...this.#records.values()].filter(({ isOpen }) => isOpen).map(incidentOf);
  }

  report(): NotifierReport {
    const openIncidents = [...this.#records.values()]
      .filter(({ isOpen }) => isOpen)
      .map((record) => ({
        key: incidentName(incidentOf(record)),
        summary: record.reason,
        since: record.firstFailedAt,
      }));
    return { openIncidents, lastError: this.#lastError };
  }

  #dedupKeyOf(incident: Incident): string {
    const { settings, emitters } = this.#options;
    return dedupKeyOf(incident, settings.incidentKey, emitters.length > 1);
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const next = this.#nextUnsent();
      if (next !== undefined && next.inMs <= 0) await this.#send(next.record);
      else if (this.#isStopping) return;
      else await this.#timer.wait(next?.inMs ?? Number.POSITIVE_INFINITY);
    }
  }

  /** The unsent record that is due first, and the time until then. */
  #nextUnsent(): { record: IncidentRecord; inMs: number } | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    const notBeforeMs = Math.max(this.#retryNotBeforeMs, this.#requestedNotBeforeMs);
    let first: { record: IncidentRecord; inMs: number } | undefined;
    for (const [name, record] of this.#records) {
      if (!record.isUnsent) continue;
      const triggerNotBeforeMs = record.isOpen ? (this.#triggerNotBeforeMs.get(name) ?? 0) : 0;
      const inMs = Math.max(triggerNotBeforeMs, notBeforeMs) - nowMs;
      if (first === undefined || inMs < first.inMs) first = { record, inMs };
    }
    return first;
  }

  async #send(record: IncidentRecord): Promise<void> {
    const name = incidentName(record);
    const action = record.isOpen ? 'trigger' : 'resolve';
    this.#records.set(name, { ...record, isUnsent: false, mayBeShown: true });
    // Saved before it is sent: after a crash, the next process resolves an incident that PagerDuty may show.
    await this.#save();
    const result = await this.#client.send(this.#eventOf(record, action), this.#abort.signal);
    switch (result.kind) {
      case 'sent':
        this.#events.sent({ incident: name, action });
        this.#lastError = undefined;
        this.#delivered(name, action);
        break;
      case 'refused':
        this.#events.refused({ incident: name, action, reason: result.reason });
        this.#lastError = result.reason;
        this.#delivered(name, action);
        break;
      case 'retry':
        this.#failed(record, action, result);
        break;
    }
    this.#changed();
  }

  #delivered(name: string, action: NotifyAction): void {
    this.#failures = 0;
    this.#retryNotBeforeMs = 0;
    const record = this.#records.get(name);
    if (record === undefined) return;
    if (action === 'trigger') {
      this.#triggerNotBeforeMs.set(name, this.#options.clock.monotonicMs() + TRIGGER_INTERVAL_MS);
    } else if (record.isOpen) {
      // The incident was opened again while its resolve was being sent.
      this.#records.set(name, { ...record, mayBeShown: false });
    } else {
      this.#records.delete(name);
      this.#forgetOldTriggers();
    }
  }

  /** The number of alert incidents is not limited, because segments change. */
  #forgetOldTriggers(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [name, notBeforeMs] of this.#triggerNotBeforeMs) {
      if (notBeforeMs <= nowMs) this.#triggerNotBeforeMs.delete(name);
    }
  }

  #failed(sent: IncidentRecord, action: NotifyAction, { reason, afterMs = 0 }: Failure): void {
    const { clock, random = Math.random } = this.#options;
    const name = incidentName(sent);
    const record = this.#records.get(name);
    if (record !== undefined) this.#records.set(name, { ...record, isUnsent: true });

    const nowMs = clock.monotonicMs();
    if (this.#failures === 0) this.#failingSinceMs = nowMs;
    const delayMs = RETRY_DELAYS_MS[Math.min(this.#failures, RETRY_DELAYS_MS.length - 1)] ?? 0;
    const jitteredMs = delayMs * (1 - JITTER + 2 * JITTER * random());
    const requestedMs = Math.min(afterMs, MAX_REQUESTED_DELAY_MS);
    this.#failures++;
    this.#lastError = reason;
    this.#retryNotBeforeMs = nowMs + jitteredMs;
    this.#requestedNotBeforeMs = nowMs + requestedMs;
    const failure = { incident: name, action, reason };
    this.#events.failed({ ...failure, delayMs: Math.max(jitteredMs, requestedMs) });
    if (nowMs - this.#failingSinceMs >= UNDELIVERABLE_MS) this.#events.undeliverable(failure);
  }

  #eventOf(record: IncidentRecord, action: NotifyAction): PagerDutyEvent {
    const { settings, source } = this.#options;
    return {
      routing_key: settings.integrationKey,
      event_action: action,
      dedup_key: record.dedupKey,
      ...(action === 'trigger' && { payload: payloadOf(record, settings.identifier, source) }),
    };
  }

  #changed(): void {
    let open = 0;
    for (const { isOpen } of this.#records.values()) if (isOpen) open++;
    this.#events.open({ incidents: open });
    void this.#save();
    this.#timer.end();
  }

  /**
   * One write at a time, always of the newest state. Resolves when the current state is on disk, or the write
   * failed.
   */
  #save(): Promise<void> {
    this.#isSaveWanted = true;
    this.#saving ??= this.#saveNewest().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #saveNewest(): Promise<void> {
    while (this.#isSaveWanted) {
      this.#isSaveWanted = false;
      try {
        await this.#options.state.save(toJson(this.#records.values()));
      } catch (error) {
        this.#events.unsaved({ err: error });
      }
    }
  }
}

/** At most one trigger per incident in this time; further triggers are summed. */
const TRIGGER_INTERVAL_MS = 60_000;
/** After the first failure, the second, and so on; the last delay repeats. */
const RETRY_DELAYS_MS = [5_000, 30_000, 60_000, 120_000, 300_000];
const JITTER = 0.2;
const MAX_REQUESTED_DELAY_MS = 60 * 60_000;
const UNDELIVERABLE_MS = 30 * 60_000;
/** For incidents that another aggregator opened. */
const NOTHING_KNOWN: IncidentDetails = { reason: '', records: 0, bytes: 0, attempts: 0 };

export interface PagerDutySettings {
  /** Secret. */
  readonly integrationKey: string;
  readonly incidentKey: string;
  readonly identifier: string;
  readonly server?: string | undefined;
  /** PEM; trusted besides the usual authorities. */
  readonly ca?: string | undefined;
}

export interface PagerDutyNotifierOptions {
  readonly settings: PagerDutySettings;
  /** The names of all configured emitters. */
  readonly emitters: readonly string[];
  readonly state: NotifyState;
  /** This host's name for people. */
  readonly source: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** [0, 1) */
  readonly random?: () => number;
  readonly timeoutMs?: number;
}

interface Failure {
  readonly reason: string;
  readonly afterMs?: number;
}
