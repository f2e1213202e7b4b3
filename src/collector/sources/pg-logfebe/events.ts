import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { FebeFault } from '../../../protocols/febe/febe-fault.ts';
import { NEWEST_KNOWN_MAJOR, type ServerVersion } from '../../../protocols/febe/server-version.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { LimitedLog } from '../../../runtime/logging/limited-log.ts';
import { EventLimiter } from '../../../transport/event-limiter.ts';
import type { Tenant } from './tenant.ts';

/** A busy pool connects all the time, so each socket logs each kind of event once in this time, with a count. */
const LOG_INTERVAL_MS = 60_000;

/** The first faults of a socket are logged one by one, because they often have different reasons. */
const FAULTS_BURST = 20;

interface ConnectionEvent {
  /** The event and its socket. */
  readonly kind: string;
  readonly fields: object;
  readonly message: string;
}

/** Logs and counts the events of the PostgreSQL sockets. */
export interface PgLogfebeEvents {
  servesAccepted(tenants: number): void;
  servesRejected(reason: string): void;
  servesUnavailable(error: Error): void;
  listening(tenant: Tenant): void;
  listenFailed(tenant: Tenant, error: Error): void;
  closed(tenant: Tenant): void;
  connected(tenant: Tenant): void;
  established(tenant: Tenant, version: ServerVersion, first: boolean): void;
  disconnected(tenant: Tenant, records: number): void;
  faulty(tenant: Tenant, fault: FebeFault, records: number): void;
  startupTimedOut(tenant: Tenant): void;
  record(bytes: number): void;
  missed(records: number): void;
  /** Logs the events that are still held back. */
  stop(): void;
}

export function createPgLogfebeEvents(logger: Logger, metrics: Registry, clock: Clock): PgLogfebeEvents {
  const registers = [metrics];
  const counter = (name: string, help: string) =>
    new Counter({ name: `collector_pg_logfebe_${name}_total`, help, registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `collector_pg_logfebe_${name}`, help, registers });
  const records = counter('records', 'Records received on PostgreSQL sockets.');
  const bytes = counter('bytes', 'Bytes of these records.');
  const missed = counter('missed_records', 'Records that PostgreSQL numbered and that did not arrive.');
  const rejections = counter('serves_rejected', 'Lists submitted as serves.new that were rejected.');
  const listenFailures = counter('listen_failures', 'Failed attempts to listen on a socket.');
  const tenants = gauge('tenants', 'Records of the loaded serve database.');
  const listeners = gauge('listeners', 'Open listening sockets.');
  const connections = gauge('connections', 'Connections of PostgreSQL processes.');
  const faults = new Counter({
    name: 'collector_pg_logfebe_faults_total',
    help: 'Connections closed because of invalid data.',
    labelNames: ['kind'],
    registers,
  });
  const about = ({ identity, path, name }: Tenant) => ({
    identity,
    path,
    ...(name !== undefined && { name }),
  });
  const connectionEvents = new EventLimiter<ConnectionEvent>(
    clock,
    LOG_INTERVAL_MS,
    ({ message, fields, count }) => logger.info({ ...fields, ...(count > 1 && { count }) }, message),
  );
  const limited = new LimitedLog(logger, clock, { burst: FAULTS_BURST });
  const logConnection = (what: string, { path }: Tenant, fields: object, message: string) =>
    connectionEvents.emit({ kind: `${what} ${path}`, fields, message });
  return {
    servesAccepted: (count) => {
      tenants.set(count);
      logger.info({ tenants: count }, 'Loaded the serve database');
    },
    servesRejected: (reason) => {
      rejections.inc();
      logger.error({ reason }, `Rejected serves.new: ${reason}. The loaded list is still used`);
    },
    servesUnavailable: (error) => {
      logger.error({ err: error }, 'Cannot read the serve database; trying again');
    },
    listening: (tenant) => {
      listeners.inc();
      logger.info(about(tenant), 'Listening for PostgreSQL');
    },
    listenFailed: (tenant, error) => {
      listenFailures.inc();
      limited.write({
        level: 'error',
        party: tenant.path,
        fields: { ...about(tenant), reason: error.message },
        message: 'Cannot listen for PostgreSQL; trying again',
      });
    },
    closed: (tenant) => {
      listeners.dec();
      logger.info(about(tenant), 'Stopped listening for PostgreSQL');
    },
    connected: () => connections.inc(),
    established: (tenant, version, first) => {
      const fields = { ...about(tenant), version: version.text };
      if (first) logger.info(fields, 'The first PostgreSQL process connected');
      else logConnection('connected', tenant, fields, 'A PostgreSQL process connected');
      if (first && version.unheardOf)
        logger.warn(
          fields,
          `This PostgreSQL is newer than ${NEWEST_KNOWN_MAJOR}, the newest version known to this collector`,
        );
    },
    disconnected: (tenant, count) => {
      connections.dec();
      logConnection(
        'disconnected',
        tenant,
        { ...about(tenant), records: count },
        'A PostgreSQL process disconnected',
      );
    },
    faulty: (tenant, { kind, reason }, count) => {
      faults.inc({ kind });
      limited.write({
        level: 'warn',
        party: tenant.path,
        fields: { ...about(tenant), reason, records: count },
        message: 'Closed a PostgreSQL connection: it violated the protocol',
      });
    },
    startupTimedOut: (tenant) => {
      faults.inc({ kind: 'silence' });
      limited.write({
        level: 'warn',
        party: tenant.path,
        fields: about(tenant),
        message: 'Closed a PostgreSQL connection: it did not send its version and identity in time',
      });
    },
    record: (size) => {
      records.inc();
      bytes.inc(size);
    },
    missed: (count) => missed.inc(count),
    stop: () => {
      connectionEvents.flush();
      limited.flush();
    },
  };
}
