import type { Logger } from 'pino';

/** What happens to the operations of a process, for its log and its metrics. */
export interface OperationEvents {
  readonly answered: (fields: AnsweredOperation) => void;
  readonly failed: (fields: FailedOperation) => void;
}

export interface AnsweredOperation {
  readonly operation: string;
  readonly status: number;
  readonly durationMs: number;
}

export interface FailedOperation {
  readonly operation: string;
  /** An unexpected error. */
  readonly err: unknown;
}

/** For a process without metrics of its requests. */
export function loggedOperations(logger: Logger): OperationEvents {
  return {
    answered: () => {},
    failed: (fields) => logger.error(fields, 'Cannot answer a request'),
  };
}
