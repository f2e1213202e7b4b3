import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/problem.ts';
import { Button } from './button.tsx';

/** There is nothing to show; the children say what to do. */
export function EmptyState({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="state">
      <h2>{title}</h2>
      {children !== undefined && <div class="state-text">{children}</div>}
    </div>
  );
}

export function LoadingState({ label = 'Loading' }: { readonly label?: string }) {
  return (
    <div class="state loading" role="status">
      <span class="spinner" aria-hidden="true" />
      <p>{label} ...</p>
    </div>
  );
}

/** A request failed: what happened, the reasons, and what to do. */
export function ErrorState({
  problem,
  onRetry,
}: {
  readonly problem: Problem;
  readonly onRetry?: () => void;
}) {
  return (
    <div class="state failed" role="alert">
      <h2>{problem.message}</h2>
      {problem.details.length > 0 && (
        <ul>
          {problem.details.map(({ path, message }) => (
            <li key={`${path} ${message}`}>{path === undefined ? message : `${path}: ${message}`}</li>
          ))}
        </ul>
      )}
      <p class="state-text">{problem.advice}</p>
      {onRetry !== undefined && problem.kind !== 'invalid' && (
        <Button icon="refresh" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
