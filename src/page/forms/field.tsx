import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Problem } from '../api/problem.ts';

/** Attributes that connect a control with its label, hint and error. */
export interface ControlAttributes {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean;
}

export interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | undefined;
  readonly children: (attributes: ControlAttributes) => ComponentChildren;
}

/** A label, a control, and a hint or an error below it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const note = error ?? hint;
  const attributes = {
    id,
    'aria-describedby': note === undefined ? undefined : `${id}-note`,
    'aria-invalid': error !== undefined,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(attributes)}
      {note !== undefined && (
        <p id={`${id}-note`} class={error === undefined ? 'field-hint' : 'field-error'}>
          {note}
        </p>
      )}
    </div>
  );
}

/** The message of a problem about this field of a request, or a part of it. */
export function errorOf(problem: Problem | undefined, path: string): string | undefined {
  return problem?.details.find((each) => each.path === path || each.path?.startsWith(`${path}.`) === true)
    ?.message;
}

/** The messages about none of these fields. */
export function otherErrors(problem: Problem | undefined, paths: readonly string[]): readonly string[] {
  if (problem === undefined) return [];
  const others = problem.details.filter(
    ({ path = '' }) => !paths.some((each) => path === each || path.startsWith(`${each}.`)),
  );
  if (others.length > 0)
    return others.map(({ path, message }) => (path === undefined ? message : `${path}: ${message}`));
  return problem.details.length > 0 ? [] : [problem.message];
}
