import { Button } from '../components/button.tsx';
import { copyText } from '../components/copy-text.ts';
import { CutText } from './cut-text.tsx';
import { FieldTable } from './field-table.tsx';
import type { LogEntry } from './log-entry.ts';
import { absoluteUrl, recordHref } from './record-actions.ts';
import { entryAsJson, entryAsText } from './record-text.ts';

interface RecordDetailProps {
  readonly entry: LogEntry;
  readonly columns?: readonly string[];
  readonly onColumn?: (property: string) => void;
  readonly onClose: () => void;
}

/** A record that is opened in its list. */
export function RecordDetail({ entry, onClose, ...table }: RecordDetailProps) {
  const href = recordHref(entry);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: clicks in the block must not reach the row
    // biome-ignore lint/a11y/useKeyWithClickEvents: it handles no click
    <div class="detail" onClick={(event) => event.stopPropagation()}>
      <div class="detail-tools">
        <a class="button" href={href} title="Neighbours in the same stream (c)">
          Context
        </a>
        <Button icon="copy" onClick={() => void copyText(entryAsJson(entry), 'JSON of the record')}>
          JSON
        </Button>
        <Button icon="copy" onClick={() => void copyText(entryAsText(entry), 'Text of the record')}>
          Text
        </Button>
        <Button icon="link" onClick={() => void copyText(absoluteUrl(href), 'Link to the record')}>
          Link
        </Button>
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
