import {
  type Incident,
  type IncidentDetails,
  incidentName,
  type Notifier,
  type NotifierReport,
} from '../../src/aggregator/notify/notifier.ts';

/** Keeps its notifications. */
export class MemoryNotifier implements Notifier {
  readonly triggers: { readonly incident: string; readonly details: IncidentDetails }[] = [];
  readonly resolves: string[] = [];
  readonly open = new Set<string>();
  readonly #incidents = new Map<string, Incident>();

  trigger(incident: Incident, details: IncidentDetails): void {
    const name = incidentName(incident);
    this.triggers.push({ incident: name, details });
    this.open.add(name);
    this.#incidents.set(name, incident);
  }

  /** Only what was open counts: to resolve anything else does nothing. */
  resolve(incident: Incident): void {
    const name = incidentName(incident);
    if (this.open.delete(name)) this.resolves.push(name);
  }

  openIncidents(): readonly Incident[] {
    return [...this.open].flatMap((name) => this.#incidents.get(name) ?? []);
  }

  report(): NotifierReport {
    return { openIncidents: [], lastError: undefined };
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
