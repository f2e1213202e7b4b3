import { Button } from '../components/button.tsx';
import { CopyButtons } from './copy-buttons.tsx';
import { CutText } from './cut-text.tsx';
import { FieldTable } from './field-table.tsx';
import type { LogEntry } from './log-entry.ts';
import { recordHref } from './record-actions.ts';

interface RecordDetailProps {
  readonly entry: LogEntry;
  readonly columns?: readonly string[];
  readonly onColumn?: (property: string) => void;
  readonly onClose: () => void;
}

/** A record that is opened in its list. */
export function RecordDetail({ entry, onClose, ...table }: RecordDetailProps) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: clicks in the block must not reach the row
    // biome-ignore lint/a11y/useKeyWithClickEvents: it handles no click
    <div class="detail" onClick={(event) => event.stopPropagation()}>
      <div class="detail-tools">
        <a class="button" href={recordHref(entry)} title="Neighbours in the same stream (c)">
          Context
        </a>
        <CopyButtons entry={entry} />
        <span class="detail-space" />
        <Button icon="close" kind="quiet" label="Close the record" shortcut="Escape" onClick={onClose} />
      </div>
      <pre class="detail-body">
        <CutText text={entry.body} isStyled />
      </pre>
      <FieldTable entry={entry} {...table} />
    </div>
  );
}
