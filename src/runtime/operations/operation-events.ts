import type { Logger } from 'pino';

/** What happens to the operations of a process, for its log and its metrics. */
export interface OperationEvents {
  answered(operation: string, status: number, durationMs: number): void;
  /** An unexpected error. */
  failed(operation: string, error: unknown): void;
}

/** For a process without metrics of its requests. */
export function loggedOperations(logger: Logger): OperationEvents {
  return {
    answered: () => {},
    failed: (operation, error) => logger.error({ err: error, operation }, 'Cannot answer a request'),
  };
}
