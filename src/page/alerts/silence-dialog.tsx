import { useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { showToast } from '../components/toast.tsx';
import { durationOptions } from '../forms/duration-options.ts';
import { errorOf } from '../forms/field-errors.ts';
import { FormDialog } from '../forms/form-dialog.tsx';
import { Select, TextInput } from '../forms/inputs.tsx';

const LENGTHS = [1800, 3600, 14_400, 28_800, 86_400, 604_800];

/** A silenced alert changes its state and notifies nobody. */
export function SilenceDialog({
  id,
  onClose,
  onSaved,
}: {
  readonly id: string;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}) {
  const [seconds, setSeconds] = useState('3600');
  const [reason, setReason] = useState('');
  const save = async () => {
    const until = new Date(Date.now() + Number(seconds) * 1000).toISOString();
    await request(`alerts/${encodeURIComponent(id)}/silence`, { method: 'POST', body: { until, reason } });
    showToast(`${id} is silenced.`);
    onSaved();
  };
  return (
    <FormDialog title={`Silence ${id}`} action="Silence" paths={['until', 'reason']} {...{ save, onClose }}>
      {(problem) => (
        <>
          <p>The alert is checked and its history is kept, but no notification is sent.</p>
          <div class="form-columns">
            <Select
              label="For"
              value={seconds}
              onChange={setSeconds}
              options={durationOptions(LENGTHS, seconds)}
              error={errorOf(problem, 'until')}
            />
            <TextInput
              label="Reason"
              value={reason}
              onChange={setReason}
              placeholder="Maintenance of the database"
              error={errorOf(problem, 'reason')}
            />
          </div>
        </>
      )}
    </FormDialog>
  );
}
