import { useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import type { LogGroup } from '../api/monitoring.ts';
import { showToast } from '../components/toast.tsx';
import { errorOf } from '../forms/field-errors.ts';
import { FormDialog } from '../forms/form-dialog.tsx';
import { TextInput } from '../forms/inputs.tsx';

const PATHS = ['id', 'expression', 'description'];
const NEW: LogGroup = { id: '', expression: '', description: '' };

export function GroupForm({
  group,
  onClose,
  onSaved,
}: {
  readonly group?: LogGroup;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}) {
  const [fields, setFields] = useState<LogGroup>(group ?? NEW);
  const change = (changes: Partial<LogGroup>) => setFields((before) => ({ ...before, ...changes }));
  const save = async () => {
    const { id, expression, description = '' } = fields;
    const body = { id: id.trim(), expression: expression.trim(), ...(description !== '' && { description }) };
    if (group === undefined) await request('log-groups', { method: 'POST', body });
    else await request(`log-groups/${encodeURIComponent(group.id)}`, { method: 'PUT', body });
    showToast(group === undefined ? `Group ${body.id} is created.` : `Group ${group.id} is changed.`);
    onSaved();
  };
  return (
    <FormDialog
      title={group === undefined ? 'New log group' : `Change ${group.id}`}
      action={group === undefined ? 'Create' : 'Save'}
      {...{ paths: PATHS, save, onClose }}
    >
      {(problem) => (
        <>
          <TextInput
            label="Name"
            value={fields.id}
            onChange={(id) => change({ id })}
            hint="a-z, 0-9 and _"
            error={errorOf(problem, 'id')}
            {...{ isCode: true, isRequired: true, isReadOnly: group !== undefined }}
          />
          <TextInput
            label="Condition"
            value={fields.expression}
            onChange={(expression) => change({ expression })}
            placeholder='service == "shop" and severity >= error'
            error={errorOf(problem, 'expression')}
            {...{ isCode: true, isRequired: true }}
          />
          <TextInput
            label="Description"
            value={fields.description ?? ''}
            onChange={(description) => change({ description })}
            error={errorOf(problem, 'description')}
          />
        </>
      )}
    </FormDialog>
  );
}
