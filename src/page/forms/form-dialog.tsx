import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { asProblem, type Problem } from '../api/problem.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { otherErrors } from './field-errors.ts';

export interface FormDialogProps {
  readonly title: string;
  /** The verb of the button: "Create". */
  readonly action: string;
  /** Fields that show their errors themselves. */
  readonly paths: readonly string[];
  readonly save: () => Promise<unknown>;
  readonly onClose: () => void;
  /** The form with the problem of the last attempt. */
  readonly children: (problem: Problem | undefined) => ComponentChildren;
}

/** A form that creates or changes something. It closes when that is done. */
export function FormDialog({ title, action, paths, save, onClose, children }: FormDialogProps) {
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [isSaving, setSaving] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setSaving(true);
    try {
      await save();
      onClose();
    } catch (failure) {
      setProblem(asProblem(failure));
      setSaving(false);
    }
  };
  return (
    <Dialog title={title} isWide onClose={onClose}>
      <form class="dialog-form" onSubmit={(event) => void submit(event)}>
        {children(problem)}
        {otherErrors(problem, paths).map((message) => (
          <p key={message} class="field-error" role="alert">
            {message}
          </p>
        ))}
        <div class="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" isDisabled={isSaving}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
