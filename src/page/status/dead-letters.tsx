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
  | { readonly kind: 'content'; readonly letter: DeadLetter }
  | { readonly kind: 'discard'; readonly letters: readonly DeadLetter[] }
  | { readonly kind: 'none' };

/** The buttons for all dead letters act on the others, too. */
const MAX_ROWS = 100;

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
  const replay = (letters: readonly DeadLetter[]) =>
    void act('replay', idsOf(letters)).catch((error: Error) => showToast(error.message, { isError: true }));
  if (problem !== undefined) return <p class="field-error card-body">{problem.message}</p>;
  const letters = data?.deadLetters ?? [];
  return (
    <>
      {letters.length > 1 && (
        <p class="card-body actions with-text">
          <span>
            {letters.length.toLocaleString('en-US')} dead letters
            {letters.length > MAX_ROWS && `, of which ${MAX_ROWS} are shown`}
          </span>
          <Button onClick={() => replay(letters)}>Replay all</Button>
          <Button kind="danger" onClick={() => setShown({ kind: 'discard', letters })}>
            Discard all
          </Button>
        </p>
      )}
      <DataTable
        caption="Dead letters"
        rows={letters.slice(0, MAX_ROWS)}
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
                <Button isDisabled={letter.replaying} onClick={() => replay([letter])}>
                  {letter.replaying ? 'Replaying' : 'Replay'}
                </Button>
                <Button kind="danger" onClick={() => setShown({ kind: 'discard', letters: [letter] })}>
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
          title={`Discard ${recordsOf(shown.letters).toLocaleString('en-US')} records?`}
          action="Discard"
          run={() => act('discard', idsOf(shown.letters))}
          onClose={close}
        >
          {emittersOf(shown.letters)} never receives these records. This cannot be undone; they are counted as
          discarded.
        </ConfirmDialog>
      )}
    </>
  );
}

function idsOf(letters: readonly DeadLetter[]): readonly string[] {
  return letters.map(({ id }) => id);
}

function recordsOf(letters: readonly DeadLetter[]): number {
  return letters.reduce((sum, { records }) => sum + records, 0);
}

function emittersOf(letters: readonly DeadLetter[]): string {
  const names = [...new Set(letters.map(({ emitter }) => emitter))];
  return names.length === 1 ? `The emitter ${names.join('')}` : 'Their emitter';
}
