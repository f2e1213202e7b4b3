import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { asProblem } from '../api/problem.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';

export interface ConfirmDialogProps {
  readonly title: string;
  /** What the action does, and whether it can be undone. */
  readonly children: ComponentChildren;
  /** The verb of the button: "Delete". */
  readonly action: string;
  /** The dialog closes when it resolves, and shows the message of a rejection. */
  readonly run: () => Promise<unknown>;
  readonly onClose: () => void;
}

export function ConfirmDialog({ title, children, action, run, onClose }: ConfirmDialogProps) {
  const [error, setError] = useState('');
  const [isRunning, setRunning] = useState(false);
  const confirm = async () => {
    setRunning(true);
    try {
      await run();
      onClose();
    } catch (failure) {
      setError(asProblem(failure).message);
      setRunning(false);
    }
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="danger" isDisabled={isRunning} onClick={() => void confirm()}>
            {action}
          </Button>
        </>
      }
    >
      <div>{children}</div>
      {error !== '' && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </Dialog>
  );
}
