import { useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import type { LogGroup } from '../api/monitoring.ts';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { DataTable } from '../components/data-table.tsx';
import { EmptyState, ErrorState, LoadingState } from '../components/states.tsx';
import { showToast } from '../components/toast.tsx';
import { ConfirmDialog } from '../forms/confirm-dialog.tsx';
import { useKeys } from '../keyboard/keys.ts';
import { address, changeParameters } from '../routing/location.ts';
import { GroupForm } from './group-form.tsx';

/** Saved conditions that searches, metrics and alerts use by name. */
export function GroupsPage() {
  const { data, problem, reload } = useResource(
    (signal) => request<{ groups: readonly LogGroup[] }>('log-groups', { signal }),
    [],
  );
  const [removed, setRemoved] = useState<string | undefined>(undefined);
  const { edit, new: added } = address.value.parameters;
  const open = () => changeParameters({ new: '1', edit: undefined });
  const close = () => changeParameters({ new: undefined, edit: undefined });
  useKeys('Groups', [{ key: 'n', description: 'New group', run: open }]);
  const edited = data?.groups.find(({ id }) => id === edit);
  const remove = async () => {
    await request(`log-groups/${encodeURIComponent(removed ?? '')}`, { method: 'DELETE' });
    showToast(`Group ${removed} is deleted.`);
    reload();
  };
  return (
    <div class="document">
      <div class="document-inner">
        <header class="page-head">
          <h1>Log groups</h1>
          <Button kind="primary" icon="plus" shortcut="n" label="New group" onClick={open}>
            New group
          </Button>
        </header>
        {data === undefined && problem === undefined && <LoadingState />}
        {data === undefined && problem !== undefined && <ErrorState problem={problem} onRetry={reload} />}
        {data?.groups.length === 0 && (
          <EmptyState title="There are no log groups yet.">
            A group is a condition with a name. Use it as <code>group("name")</code> in searches, metrics and
            alerts.
          </EmptyState>
        )}
        {data !== undefined && data.groups.length > 0 && (
          <GroupTable groups={data.groups} onRemove={setRemoved} />
        )}
      </div>
      {(added !== undefined || edited !== undefined) && (
        <GroupForm {...(edited !== undefined && { group: edited })} onClose={close} onSaved={reload} />
      )}
      {removed !== undefined && (
        <ConfirmDialog
          title={`Delete ${removed}?`}
          action="Delete"
          run={remove}
          onClose={() => setRemoved(undefined)}
        >
          A group that a metric or another group uses cannot be deleted.
        </ConfirmDialog>
      )}
    </div>
  );
}

function GroupTable({
  groups,
  onRemove,
}: {
  readonly groups: readonly LogGroup[];
  readonly onRemove: (id: string) => void;
}) {
  return (
    <div class="card">
      <DataTable
        caption="Log groups"
        rows={groups}
        rowKey={({ id }) => id}
        columns={[
          { title: 'Name', cell: ({ id }) => id },
          { title: 'Condition', cell: ({ expression }) => <code>{expression}</code> },
          { title: 'Description', cell: ({ description = '' }) => description },
          {
            title: 'Actions',
            cell: ({ id }) => (
              <span class="page-head">
                <a class="button" href={`#/search?q=${encodeURIComponent(`group("${id}")`)}`}>
                  Search
                </a>
                <Button onClick={() => changeParameters({ edit: id })}>Edit</Button>
                <Button kind="danger" onClick={() => onRemove(id)}>
                  Delete
                </Button>
              </span>
            ),
          },
        ]}
      />
    </div>
  );
}
