import { NEWEST_KNOWN_MAJOR } from '../../../protocols/febe/server-version.ts';
import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../../runtime/events/metric-table.ts';
import type { Tenant } from './tenant.ts';

export const PG_LOGFEBE_METRICS = metricTable('collector_pg_logfebe_', {
  records: counter('records_total', 'Records received on PostgreSQL sockets'),
  bytes: counter('bytes_total', 'Bytes of these records'),
  missed: counter('missed_records_total', 'Records that PostgreSQL numbered and that did not arrive'),
  rejections: counter('serves_rejected_total', 'Lists submitted as serves.new that were rejected'),
  listenFailures: counter('listen_failures_total', 'Failed attempts to listen on a socket'),
  tenants: gauge('tenants', 'Records of the loaded serve database'),
  listeners: gauge('listeners', 'Open listening sockets'),
  connections: gauge('connections', 'Connections of PostgreSQL processes'),
  faults: counter('faults_total', 'Connections closed because of invalid data', { labels: ['kind'] }),
});

interface Connected extends Tenant {
  /** Of PostgreSQL. */
  readonly version: string;
}

/** A busy pool connects all the time, so each socket logs each kind of event once in a minute, with a count. */
const bySocket = { party: ({ path }: Tenant) => path };

/** The first faults of a socket are logged one by one, because they often have different reasons. */
const faultsBySocket = { ...bySocket, burst: 20 };

/** The events of the PostgreSQL sockets. */
export const PG_LOGFEBE_EVENTS = defineEvents(PG_LOGFEBE_METRICS, (event) => ({
  servesAccepted: event<{ readonly tenants: number }>({
    info: 'Loaded the serve database',
    count: (metrics, { tenants }) => metrics.tenants.set(tenants),
  }),
  servesRejected: event<{ readonly reason: string }>({
    error: ({ reason }) => `Rejected serves.new: ${reason}. The loaded list is still used`,
    count: ({ rejections }) => rejections.inc(),
  }),
  servesUnavailable: event<{ readonly err: unknown }>({
    error: 'Cannot read the serve database; trying again',
  }),
  listening: event<Tenant>({
    info: 'Listening for PostgreSQL',
    count: ({ listeners }) => listeners.inc(),
  }),
  closed: event<Tenant>({
    info: 'Stopped listening for PostgreSQL',
    count: ({ listeners }) => listeners.dec(),
  }),
  connected: event({ count: ({ connections }) => connections.inc() }),
  firstEstablished: event<Connected>({ info: 'The first PostgreSQL process connected' }),
  newerVersion: event<Connected>({
    warn: `This PostgreSQL is newer than ${NEWEST_KNOWN_MAJOR}, the newest version known to this collector`,
  }),
  established: event<Connected>({ info: 'A PostgreSQL process connected', limit: bySocket }),
  disconnected: event<Tenant & { readonly records: number }>({
    info: 'A PostgreSQL process disconnected',
    limit: bySocket,
    count: ({ connections }) => connections.dec(),
  }),
  faulty: event<Tenant & { readonly kind: string; readonly reason: string; readonly records: number }>({
    warn: 'Closed a PostgreSQL connection: it violated the protocol',
    limit: faultsBySocket,
    count: ({ faults }, { kind }) => faults.inc(1, { kind }),
  }),
  startupTimedOut: event<Tenant>({
    warn: 'Closed a PostgreSQL connection: it did not send its version and identity in time',
    limit: faultsBySocket,
    count: ({ faults }) => faults.inc(1, { kind: 'silence' }),
  }),
  listenFailed: event<Tenant & { readonly reason: string }>({
    error: 'Cannot listen for PostgreSQL; trying again',
    limit: faultsBySocket,
    count: ({ listenFailures }) => listenFailures.inc(),
  }),
  /** Its size in bytes. */
  record: event<number>({
    count: ({ records, bytes }, sizeBytes) => {
      records.inc();
      bytes.inc(sizeBytes);
    },
  }),
  /** Their number. */
  missed: event<number>({ count: ({ missed }, records) => missed.inc(records) }),
}));

export type PgLogfebeEvents = Reports<typeof PG_LOGFEBE_EVENTS.definitions>;
