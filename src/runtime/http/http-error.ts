interface Details {
  readonly problems?: readonly HttpProblem[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by handlers for requests that fail. `code` is for programs, `message` for people. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly problems: readonly HttpProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, { problems = [], headers = {} }: Details = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.problems = problems;
    this.headers = headers;
  }
}

/** A problem of a part of a request: `where[0].property`, `limit`. */
export interface HttpProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * `{"error": {"code": "invalid-request", "message": "...", "problems": [{"path": "limit", "message":
 * "..."}]}}`
 */
export function errorAnswer({ status, code, message, problems, headers }: HttpError): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const error = { code, message, ...(problems.length > 0 && { problems }) };
  return { status, headers, body: JSON.stringify({ error }) };
}
