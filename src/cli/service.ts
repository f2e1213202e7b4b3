import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';

/** A half of the pair, or both, as the command line runs it. */
export interface Service<Config = unknown> extends Component {
  /** SIGHUP: opens output files anew, and takes the certificates of `config`, when it could be read again. */
  reopen(config?: Config): Promise<void>;
  /** Resolves with what makes going on impossible; never rejects. */
  readonly failed: Promise<Error>;
}

export interface ServiceDependencies {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly stdout: NodeJS.WritableStream;
  readonly version: string;
}
