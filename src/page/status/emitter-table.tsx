import type { EmitterStatus } from '../api/status.ts';
import { DataTable, type TableColumn } from '../components/data-table.tsx';
import { LogText, NumberText } from '../components/texts.tsx';
import { duration, shortNumber } from '../text/numbers.ts';
import { catchUpText, isFailing } from './emitter-state.ts';

export function EmitterTable({ emitters }: { readonly emitters: readonly EmitterStatus[] }) {
  return <DataTable caption="Emitters" columns={COLUMNS} rows={emitters} rowKey={({ emitter }) => emitter} />;
}

const COLUMNS: readonly TableColumn<EmitterStatus>[] = [
  { title: 'Name', cell: ({ emitter }) => emitter },
  { title: 'State', cell: (emitter) => <EmitterState emitter={emitter} /> },
  {
    title: 'Rate',
    isNumber: true,
    cell: ({ recordsPerSecond }) => (recordsPerSecond == null ? '-' : `${shortNumber(recordsPerSecond)}/s`),
  },
  { title: 'Queued', isNumber: true, cell: ({ queued }) => <NumberText value={queued.records} /> },
  {
    title: 'Lag',
    isNumber: true,
    cell: ({ lagSeconds }) => (lagSeconds == null ? '-' : duration(lagSeconds)),
  },
  { title: 'Catches up in', isNumber: true, cell: catchUpText },
  { title: 'Delivered', isNumber: true, cell: ({ delivered }) => <NumberText value={delivered.records} /> },
  {
    title: 'Filtered',
    isNumber: true,
    cell: ({ filtered }) => <NumberText value={filtered?.records ?? 0} />,
  },
  {
    title: 'Dead letters',
    isNumber: true,
    cell: ({ deadLettered }) => <NumberText value={deadLettered.records} />,
  },
  { title: 'Discarded', isNumber: true, cell: ({ discarded }) => <NumberText value={discarded.records} /> },
];

function EmitterState({ emitter }: { readonly emitter: EmitterStatus }) {
  const { state = 'running', problem } = emitter;
  return (
    <>
      <span class={isFailing(emitter) ? 'alert-state firing' : 'alert-state ok'}>{state}</span>
      {problem != null && (
        <p class="muted">
          <LogText text={problem} />
        </p>
      )}
    </>
  );
}
