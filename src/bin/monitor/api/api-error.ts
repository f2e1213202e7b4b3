import { CommandError } from '../../command-error.ts';

/** The aggregator could not be asked, or has not answered what was asked for. `message`: for a person, with what to do. */
export class ApiError extends CommandError {
  /** Whoever watches may ask again: it is away, busy, or in the middle of a restart. */
  readonly isTransient: boolean;
  /** undefined: there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, { isTransient, status }: { isTransient: boolean; status?: number }) {
    super(message);
    this.isTransient = isTransient;
    this.status = status;
  }
}
