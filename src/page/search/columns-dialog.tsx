import { useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { LogText } from '../components/texts.tsx';
import { type Column, movedColumn, toggleColumn } from '../records/columns.ts';

interface ColumnsDialogProps {
  readonly columns: readonly Column[];
  readonly fields: readonly string[];
  readonly onColumns: (columns: readonly Column[]) => void;
  readonly onReset: () => void;
  readonly onClose: () => void;
}

const ALWAYS = ['time', 'severity', 'host.name', 'service.name', 'source', 'format', 'body'];
const MAX_OFFERED = 200;

/** Chooses and orders the columns of the list. */
export function ColumnsDialog({ columns, fields, onColumns, onReset, onClose }: ColumnsDialogProps) {
  const [wanted, setWanted] = useState('');
  const shown = columns.map(({ property }) => property);
  const offered = [...new Set([...ALWAYS, ...fields])]
    .filter((name) => !shown.includes(name) && name.toLowerCase().includes(wanted.toLowerCase()))
    .slice(0, MAX_OFFERED);
  return (
    <Dialog
      title="Columns"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onReset}>Usual columns</Button>
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </>
      }
    >
      <ol class="column-list">
        {columns.map(({ property }, at) => (
          <li key={property}>
            <span class="mono">
              <LogText text={property} />
            </span>
            <Button
              kind="quiet"
              icon="left"
              class="small"
              label={`Move ${property} to the left`}
              isDisabled={at === 0}
              onClick={() => onColumns(movedColumn(columns, property, -1))}
            />
            <Button
              kind="quiet"
              icon="right"
              class="small"
              label={`Move ${property} to the right`}
              isDisabled={at === columns.length - 1}
              onClick={() => onColumns(movedColumn(columns, property, 1))}
            />
            <Button
              kind="quiet"
              icon="close"
              class="small"
              label={`Remove ${property}`}
              isDisabled={columns.length === 1}
              onClick={() => onColumns(toggleColumn(columns, property))}
            />
          </li>
        ))}
      </ol>
      <input
        type="search"
        aria-label="Find a field"
        placeholder="Find a field"
        value={wanted}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <ul class="column-list offered">
        {offered.map((property) => (
          <li key={property}>
            <Button kind="quiet" icon="plus" onClick={() => onColumns(toggleColumn(columns, property))}>
              <LogText text={property} />
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
