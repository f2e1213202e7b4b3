import { addressOf, type Query } from '../api/client.ts';
import { Dialog } from '../components/dialog.tsx';
import { Icon } from '../components/icon.tsx';

interface ExportDialogProps {
  readonly query: Query;
  readonly total: number | undefined;
  readonly onClose: () => void;
}

const FORMATS = [
  ['ndjson', 'NDJSON', 'one JSON object in each line, with all fields'],
  ['csv', 'CSV', 'columns for a spreadsheet'],
  ['text', 'Text', 'one line for each record'],
] as const;

/** Downloads everything that was found, not only the rows that are loaded. */
export function ExportDialog({ query, total, onClose }: ExportDialogProps) {
  return (
    <Dialog title="Export" onClose={onClose}>
      <p>
        The aggregator sends {total === undefined ? 'all' : `all ${total.toLocaleString('en-US')}`} records
        that the query finds, newest first.
      </p>
      <ul class="export-list">
        {FORMATS.map(([format, title, description]) => (
          <li key={format}>
            <a
              class="button"
              href={addressOf('logs/export', { ...query, format })}
              download
              onClick={onClose}
            >
              <Icon name="save" />
              {title}
            </a>
            <span class="muted">{description}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
