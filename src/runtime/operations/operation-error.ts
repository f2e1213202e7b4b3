/** The process has rejected a request. `code` is for programs (`not-found`), `message` for people. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
