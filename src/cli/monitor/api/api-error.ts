import { CommandError } from '../../command-error.ts';

interface ApiErrorKind {
  readonly isTransient: boolean;
  readonly status?: number;
  readonly isRefusedConnection?: boolean;
}

/**
 * The aggregator is not reachable, or has not answered the request. `message`: for a person, with the remedy.
 */
export class ApiError extends CommandError {
  /** The caller may retry: the aggregator is not reachable, busy, or restarting. */
  readonly isTransient: boolean;
  /** undefined: there was no answer. */
  readonly status: number | undefined;
  /** No process listens at the address: the aggregator may be starting. */
  readonly isRefusedConnection: boolean;

  constructor(message: string, kind: ApiErrorKind) {
    super(message);
    this.isTransient = kind.isTransient;
    this.status = kind.status;
    this.isRefusedConnection = kind.isRefusedConnection ?? false;
  }
}
