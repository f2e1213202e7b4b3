import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';
import type { InheritedSockets } from '../runtime/inherited-sockets.ts';

/** A collector, an aggregator, or both, as the command line runs it. */
export interface Service<Config = unknown> extends Component {
  /** SIGHUP: reopens output files, and loads the certificates of `config` if it could be read again. */
  reopen(config?: Config): Promise<void>;
  /** Resolves with an error that ends the process; never rejects. Absent: there is none after `start`. */
  readonly failed?: Promise<Error>;
}

export interface ServiceDependencies {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly stdout: NodeJS.WritableStream;
  readonly version: string;
  /** Sockets that systemd has opened for this process. */
  readonly inheritedSockets?: InheritedSockets | undefined;
}
