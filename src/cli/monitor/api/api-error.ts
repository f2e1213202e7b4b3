import { CommandError } from '../../command-error.ts';

interface ApiErrorKind {
  readonly isTransient: boolean;
  readonly status?: number;
  readonly isRefusedConnection?: boolean;
}

/** The aggregator could not be asked, or has not answered what was asked for. `message`: for a person, with what to do. */
export class ApiError extends CommandError {
  /** Whoever watches may ask again: it is away, busy, or in the middle of a restart. */
  readonly isTransient: boolean;
  /** undefined: there was no answer. */
  readonly status: number | undefined;
  /** No process listens there: it may be starting. */
  readonly isRefusedConnection: boolean;

  constructor(message: string, kind: ApiErrorKind) {
    super(message);
    this.isTransient = kind.isTransient;
    this.status = kind.status;
    this.isRefusedConnection = kind.isRefusedConnection ?? false;
  }
}
