import { Button } from '../components/button.tsx';
import { copyText } from '../components/copy-text.ts';
import type { LogEntry } from './log-entry.ts';
import { absoluteUrl, recordHref } from './record-actions.ts';
import { entryAsJson, entryAsText } from './record-text.ts';

/** Buttons that copy a record as JSON, as text, or its address. */
export function CopyButtons({ entry }: { readonly entry: LogEntry }) {
  return (
    <>
      <Button icon="copy" onClick={() => void copyText(entryAsJson(entry), 'JSON of the record')}>
        JSON
      </Button>
      <Button icon="copy" onClick={() => void copyText(entryAsText(entry), 'Text of the record')}>
        Text
      </Button>
      <Button icon="link" onClick={() => void copyLink(entry)}>
        Link
      </Button>
    </>
  );
}

export function copyLink(entry: LogEntry): Promise<void> {
  return copyText(absoluteUrl(recordHref(entry)), 'Link to the record');
}
