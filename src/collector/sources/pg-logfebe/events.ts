import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { FebeFault } from '../../../protocols/febe/febe-fault.ts';
import { NEWEST_KNOWN_MAJOR, type ServerVersion } from '../../../protocols/febe/server-version.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { LimitedLog } from '../../../runtime/logging/limited-log.ts';
import { EventLimiter } from '../../../transport/event-limiter.ts';
import type { Tenant } from './tenant.ts';

/** A busy pool connects all the time: of one socket, one line for each happening in this time, with their number. */
const LOG_INTERVAL_MS = 60_000;

/** The first faults of a socket are logged one by one: they often have different reasons. */
const FAULTS_BURST = 20;

interface Coming {
  /** What happened, and at which socket. */
  readonly kind: string;
  readonly fields: object;
  readonly message: string;
}

/** What happens at the PostgreSQL sockets, logged and counted in one place. */
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
  /** Logs what is held back. */
  stop(): void;
}

export function createPgLogfebeEvents(logger: Logger, metrics: Registry, clock: Clock): PgLogfebeEvents {
  const registers = [metrics];
  const counter = (name: string, help: string) =>
    new Counter({ name: `collector_pg_logfebe_${name}_total`, help, registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `collector_pg_logfebe_${name}`, help, registers });
  const records = counter('records', 'Records that came over PostgreSQL sockets.');
  const bytes = counter('bytes', 'Bytes of these records.');
  const missed = counter('missed_records', 'Records that PostgreSQL numbered but that never came.');
  const rejections = counter('serves_rejected', 'Lists submitted as serves.new that were rejected.');
  const listenFailures = counter('listen_failures', 'Attempts to listen at a socket that failed.');
  const tenants = gauge('tenants', 'Records in force in the serve database.');
  const listeners = gauge('listeners', 'Sockets that are listened at.');
  const connections = gauge('connections', 'Connections of PostgreSQL processes.');
  const faults = new Counter({
    name: 'collector_pg_logfebe_faults_total',
    help: 'Connections closed because of what came over them.',
    labelNames: ['kind'],
    registers,
  });
  const about = ({ identity, path, name }: Tenant) => ({
    identity,
    path,
    ...(name !== undefined && { name }),
  });
  const comings = new EventLimiter<Coming>(clock, LOG_INTERVAL_MS, ({ message, fields, count }) =>
    logger.info({ ...fields, ...(count > 1 && { count }) }, message),
  );
  const limited = new LimitedLog(logger, clock, { burst: FAULTS_BURST });
  const come = (what: string, { path }: Tenant, fields: object, message: string) =>
    comings.emit({ kind: `${what} ${path}`, fields, message });
  return {
    servesAccepted: (count) => {
      tenants.set(count);
      logger.info({ tenants: count }, 'The serve database is in force.');
    },
    servesRejected: (reason) => {
      rejections.inc();
      logger.error({ reason }, 'serves.new was rejected; what was in force stays in force.');
    },
    servesUnavailable: (error) => {
      logger.error({ err: error }, 'The serve database could not be looked at; it is tried again.');
    },
    listening: (tenant) => {
      listeners.inc();
      logger.info(about(tenant), 'Listening for PostgreSQL.');
    },
    listenFailed: (tenant, error) => {
      listenFailures.inc();
      limited.write({
        level: 'error',
        party: tenant.path,
        fields: { ...about(tenant), reason: error.message },
        message: 'Could not listen for PostgreSQL here; it is tried again.',
      });
    },
    closed: (tenant) => {
      listeners.dec();
      logger.info(about(tenant), 'No longer listening for PostgreSQL.');
    },
    connected: () => connections.inc(),
    established: (tenant, version, first) => {
      const fields = { ...about(tenant), version: version.text };
      if (first) logger.info(fields, 'The first PostgreSQL process has connected.');
      else come('connected', tenant, fields, 'A PostgreSQL process has connected.');
      if (first && version.unheardOf)
        logger.warn(
          fields,
          `This PostgreSQL is newer than ${NEWEST_KNOWN_MAJOR}, the newest that is known here.`,
        );
    },
    disconnected: (tenant, count) => {
      connections.dec();
      come(
        'disconnected',
        tenant,
        { ...about(tenant), records: count },
        'A PostgreSQL process has disconnected.',
      );
    },
    faulty: (tenant, { kind, reason }, count) => {
      faults.inc({ kind });
      limited.write({
        level: 'warn',
        party: tenant.path,
        fields: { ...about(tenant), reason, records: count },
        message: 'A PostgreSQL connection was closed: it broke the protocol.',
      });
    },
    startupTimedOut: (tenant) => {
      faults.inc({ kind: 'silence' });
      limited.write({
        level: 'warn',
        party: tenant.path,
        fields: about(tenant),
        message: 'A PostgreSQL connection was closed: it did not say who it is.',
      });
    },
    record: (size) => {
      records.inc();
      bytes.inc(size);
    },
    missed: (count) => missed.inc(count),
    stop: () => {
      comings.flush();
      limited.flush();
    },
  };
}
