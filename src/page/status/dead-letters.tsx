import { useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { session } from '../api/session.ts';
import type { DeadLetter } from '../api/status.ts';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { DataTable } from '../components/data-table.tsx';
import { BytesText, LogText, NumberText, TimeText } from '../components/texts.tsx';
import { showToast } from '../components/toast.tsx';
import { ConfirmDialog } from '../forms/confirm-dialog.tsx';
import { DeadLetterDialog } from './dead-letter-dialog.tsx';
import { isoOfUnixNano } from './iso-of-unix-nano.ts';

/** Records that an emitter has rejected. `count` changes when there are new ones. */
export function DeadLetters({ count }: { readonly count: number }) {
  return (
    <section class="card">
      <h2>Dead letters</h2>
      {count === 0 && <p class="muted card-body">No emitter has rejected records.</p>}
      {count > 0 &&
        (session.value?.access === 'token' ? <Letters count={count} /> : <NoAccess count={count} />)}
    </section>
  );
}

function NoAccess({ count }: { readonly count: number }) {
  return (
    <p class="card-body">
      <NumberText value={count} /> records are in dead letters. They are shown here only to clients with a
      token: set <code>AGGREGATOR_HTTP_TOKEN</code> and sign in, or use{' '}
      <code>mega-collector dead-letters list</code>.
    </p>
  );
}

type Shown =
  | { readonly kind: 'content' | 'discard'; readonly letter: DeadLetter }
  | { readonly kind: 'none' };

function Letters({ count }: { readonly count: number }) {
  const [shown, setShown] = useState<Shown>({ kind: 'none' });
  const { data, problem, reload } = useResource(
    (signal) => request<{ deadLetters: readonly DeadLetter[] }>('dead-letters', { signal }),
    [count],
  );
  const close = () => setShown({ kind: 'none' });
  const act = async (action: 'replay' | 'discard', ids: readonly string[]) => {
    await request(`dead-letters/${action}`, { method: 'POST', body: { ids } });
    showToast(action === 'replay' ? 'The records are sent again.' : 'The records are discarded.');
    reload();
  };
  const replay = (id: string) =>
    void act('replay', [id]).catch((error: Error) => showToast(error.message, { isError: true }));
  if (problem !== undefined) return <p class="field-error card-body">{problem.message}</p>;
  return (
    <>
      <DataTable
        caption="Dead letters"
        rows={data?.deadLetters ?? []}
        rowKey={({ id }) => id}
        columns={[
          { title: 'Emitter', cell: ({ emitter }) => emitter },
          {
            title: 'Rejected',
            cell: (letter) => <TimeText time={isoOfUnixNano(letter.rejectedTimeUnixNano)} digits={0} />,
          },
          { title: 'Records', isNumber: true, cell: ({ records }) => <NumberText value={records} /> },
          { title: 'Size', isNumber: true, cell: ({ bytes }) => <BytesText bytes={bytes} /> },
          { title: 'Reason', cell: ({ reason }) => <LogText text={reason} /> },
          {
            title: 'Actions',
            cell: (letter) => (
              <span class="actions">
                <Button onClick={() => setShown({ kind: 'content', letter })}>Show</Button>
                <Button isDisabled={letter.replaying} onClick={() => replay(letter.id)}>
                  {letter.replaying ? 'Replaying' : 'Replay'}
                </Button>
                <Button kind="danger" onClick={() => setShown({ kind: 'discard', letter })}>
                  Discard
                </Button>
              </span>
            ),
          },
        ]}
      />
      {shown.kind === 'content' && <DeadLetterDialog letter={shown.letter} onClose={close} />}
      {shown.kind === 'discard' && (
        <ConfirmDialog
          title={`Discard ${shown.letter.records} records?`}
          action="Discard"
          run={() => act('discard', [shown.letter.id])}
          onClose={close}
        >
          The emitter {shown.letter.emitter} never receives these records. This cannot be undone; they are
          counted as discarded.
        </ConfirmDialog>
      )}
    </>
  );
}
