export type ProblemKind = 'offline' | 'timeout' | 'sign-in' | 'refused' | 'missing' | 'invalid' | 'failed';

export interface ProblemDetail {
  readonly path?: string;
  readonly message: string;
}

/** A request failed. `message` is a sentence for people, `advice` what they can do. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly kind: ProblemKind;
  readonly code: string;
  readonly advice: string;
  readonly details: readonly ProblemDetail[];

  constructor(
    kind: ProblemKind,
    {
      message,
      code = kind,
      details = [],
    }: { readonly message: string; readonly code?: string; readonly details?: readonly ProblemDetail[] },
  ) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.advice = ADVICE[kind];
    this.details = details;
  }
}

const ADVICE: Readonly<Record<ProblemKind, string>> = {
  offline: 'Check that the aggregator runs. The page tries again by itself.',
  timeout: 'Choose a shorter time range or a more selective query, then try again.',
  'sign-in': 'Sign in with the token of the aggregator (AGGREGATOR_HTTP_TOKEN).',
  refused:
    'Open the page on the machine of the aggregator, or set AGGREGATOR_HTTP_TOKEN at the aggregator and sign in.',
  missing: 'It may have been removed, or the aggregator has no store. The page Status shows the store.',
  invalid: 'Correct the input and try again.',
  failed: 'Try again. If it fails again, see the log of the aggregator.',
};

/** The kind of an answer with this status. */
export function kindOfStatus(status: number): ProblemKind {
  if (status === 401) return 'sign-in';
  if (status === 403) return 'refused';
  if (status === 404) return 'missing';
  if (status === 400 || status === 409 || status === 413 || status === 422) return 'invalid';
  return status === 504 ? 'timeout' : 'failed';
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** For errors of all kinds: a programming error is shown too, not hidden. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('failed', { message: error instanceof Error ? error.message : String(error) });
}
