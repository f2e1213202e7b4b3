import { StatusReport } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { Clock } from '../../../runtime/clock.ts';

/** A collector that is connected, or that was since the start of the aggregator. */
export interface KnownCollector {
  readonly id: string;
  readonly host: string;
  /** Name and version: `mega-collector/1.2.3`. */
  readonly software: string;
  /** From which it connected last. */
  readonly address: string;
  readonly isConnected: boolean;
  /** When the connection began, or ended. */
  readonly sinceUnixNano: bigint;
  readonly lastSeenUnixNano: bigint;
  /** Record bytes accepted from it since the start of the aggregator, repetitions included. */
  readonly acceptedBytes: number;
  /** Its newest report; undefined: it sends none, or it was removed from memory. */
  readonly report: StatusReport | undefined;
  readonly explains: ExplainSupport;
}

/**
 * Whether a collector explains a file to this aggregator. `refused`: by its configuration. `unsupported`: it is of a version
 * without this.
 */
export type ExplainSupport = 'offered' | 'refused' | 'unsupported';

/** `explained`: what the command `explain` prints as JSON; the collector decides about its fields. */
export type ExplainResult =
  | { readonly kind: 'explained'; readonly json: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'busy' | 'timed-out' | 'disconnected' | 'unknown' };

/** One call of a collector. */
export interface CollectorConnection {
  /** A message arrived. */
  seen(): void;
  report(report: StatusReport): void;
  ended(): void;
}

export interface ConnectingCollector {
  readonly id: string;
  readonly host: string;
  readonly software: string;
  readonly address: string;
  /** Absent: `unsupported`. */
  readonly explains?: ExplainSupport;
  /** Asks the collector how it sees a file; never rejects. Absent: it cannot be asked. */
  readonly explain?: (subject: string) => Promise<ExplainResult>;
}

export interface RegisterLimits {
  readonly collectors: number;
  /** Of all reports together. */
  readonly reportBytes: number;
}

/**
 * The collectors of this run, for operators. A peer decides about the number of its ids and the size of its
 * reports, so both are limited: the oldest disconnected collectors are removed, and the oldest reports.
 * Reports are kept as bytes, which are several times smaller than objects.
 */
export class CollectorRegister {
  readonly #clock: Clock;
  readonly #limits: RegisterLimits;
  /** The one that connected last is the last. */
  readonly #collectors = new Map<string, Entry>();
  /** By collector id; the newest is the last. */
  readonly #reports = new Map<string, Buffer>();
  readonly #askable = new WeakMap<Entry, NonNullable<ConnectingCollector['explain']>>();
  #reportBytes = 0;
  #connected = 0;

  constructor(clock: Clock, limits: RegisterLimits = LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The number of connected collectors. */
  get connected(): number {
    return this.#connected;
  }

  /** A call begins. A later call of the same collector replaces it. */
  connect(connecting: ConnectingCollector): CollectorConnection {
    const { id, host, software, address, explains = 'unsupported', explain } = connecting;
    const now = this.#clock.nowUnixNano();
    const before = this.#collectors.get(id);
    if (!before?.isConnected) this.#connected++;
    const entry: Entry = {
      host: limited(host),
      software: limited(software),
      address: limited(address),
      isConnected: true,
      sinceUnixNano: now,
      lastSeenUnixNano: now,
      acceptedBytes: before?.acceptedBytes ?? 0,
      explains,
    };
    if (explain !== undefined) this.#askable.set(entry, explain);
    this.#collectors.delete(id);
    this.#collectors.set(id, entry);
    // The report of an earlier process is outdated.
    this.#forgetReport(id);
    this.#forgetOldest();
    return {
      seen: () => {
        entry.lastSeenUnixNano = this.#clock.nowUnixNano();
      },
      report: (report) => this.#report(id, entry, report),
      ended: () => this.#ended(id, entry),
    };
  }

  accepted(id: string, bytes: number): void {
    const entry = this.#collectors.get(id);
    if (entry !== undefined) entry.acceptedBytes += bytes;
  }

  /** How a connected collector sees a file. Never rejects. */
  async explain(id: string, subject: string): Promise<ExplainResult> {
    const entry = this.#collectors.get(id);
    if (entry === undefined) return { kind: 'unknown' };
    if (!entry.isConnected) return { kind: 'disconnected' };
    const explain = this.#askable.get(entry);
    if (explain === undefined || entry.explains !== 'offered')
      return { kind: 'refused', reason: reasonOf(entry) };
    return explain(subject);
  }

  /** Connected ones first, then by host. */
  list(): readonly KnownCollector[] {
    return Array.from(this.#collectors, ([id, entry]) => {
      const encoded = this.#reports.get(id);
      return { id, ...entry, report: encoded === undefined ? undefined : StatusReport.decode(encoded) };
    }).toSorted(
      (a, b) =>
        Number(b.isConnected) - Number(a.isConnected) || compare(a.host, b.host) || compare(a.id, b.id),
    );
  }

  #report(id: string, entry: Entry, report: StatusReport): void {
    if (this.#collectors.get(id) !== entry || !entry.isConnected) return;
    const encoded = Buffer.from(StatusReport.encode(report).finish());
    if (encoded.length > MAX_REPORT_BYTES) return;
    this.#forgetReport(id);
    this.#reports.set(id, encoded);
    this.#reportBytes += encoded.length;
    for (const oldest of this.#reports.keys()) {
      if (this.#reportBytes <= this.#limits.reportBytes) break;
      this.#forgetReport(oldest);
    }
  }

  #forgetReport(id: string): void {
    this.#reportBytes -= this.#reports.get(id)?.length ?? 0;
    this.#reports.delete(id);
  }

  #ended(id: string, entry: Entry): void {
    if (this.#collectors.get(id) !== entry || !entry.isConnected) return;
    entry.isConnected = false;
    entry.sinceUnixNano = this.#clock.nowUnixNano();
    this.#connected--;
  }

  /** The number of connected collectors has its own limit: AGGREGATOR_MAX_CONNECTIONS. */
  #forgetOldest(): void {
    if (this.#collectors.size <= this.#limits.collectors) return;
    for (const [id, { isConnected }] of this.#collectors) {
      if (isConnected) continue;
      this.#collectors.delete(id);
      this.#forgetReport(id);
      return;
    }
  }
}

interface Entry {
  readonly host: string;
  readonly software: string;
  readonly address: string;
  isConnected: boolean;
  sinceUnixNano: bigint;
  lastSeenUnixNano: bigint;
  acceptedBytes: number;
  readonly explains: ExplainSupport;
}

/** As the protocol says. */
export const MAX_REPORT_BYTES = 16 * 1024;
const LIMITS: RegisterLimits = { collectors: 4096, reportBytes: 8 * 1024 * 1024 };
const MAX_CHARACTERS = 255;

function reasonOf({ host, software, explains }: Entry): string {
  return explains === 'refused'
    ? `The collector on ${host} does not explain files to an aggregator: COLLECTOR_REMOTE_EXPLAIN is 0. Use \`mega-collector explain\` on that host.`
    : `The collector on ${host} (${software || 'unknown version'}) is of a version that cannot be asked. Upgrade it, or use \`mega-collector explain\` on that host.`;
}

function limited(text: string): string {
  return text.slice(0, MAX_CHARACTERS);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
