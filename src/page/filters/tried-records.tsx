import type { TriedRecord } from '../api/status.ts';
import { LogText } from '../components/texts.tsx';
import { changesOf, type RecordChange } from './trial-changes.ts';

export function TriedRecords({ records }: { readonly records: readonly TriedRecord[] }) {
  return (
    <ol class="tried">
      {records.map((record, at) => (
        <li key={at}>
          <Tried record={record} />
        </li>
      ))}
    </ol>
  );
}

function Tried({ record: { before, after, lines, routes } }: { readonly record: TriedRecord }) {
  return (
    <>
      <div class="tried-head">
        <span class={after.length === 0 ? 'alert-state firing' : 'muted'}>{verdictOf(after.length)}</span>
        {lines.length > 0 && <span class="muted">lines {lines.join(', ')}</span>}
        {routes.length > 0 && <span class="muted">to {routes.join(', ')}</span>}
      </div>
      <code class="tried-body">
        <LogText text={before.body} />
      </code>
      {after.map((each, at) => (
        <Changes key={at} changes={changesOf(before, each)} />
      ))}
    </>
  );
}

function verdictOf(count: number): string {
  if (count === 0) return 'dropped';
  return count === 1 ? 'kept' : `split into ${count}`;
}

function Changes({ changes }: { readonly changes: readonly RecordChange[] }) {
  if (changes.length === 0) return null;
  return (
    <dl class="changes">
      {changes.map(({ name, before, after }) => [
        <dt key={name}>{name}</dt>,
        <dd key={`${name} value`}>
          {before !== undefined && (
            <del>
              <LogText text={before} />
            </del>
          )}{' '}
          {after !== undefined && (
            <ins>
              <LogText text={after} />
            </ins>
          )}
        </dd>,
      ])}
    </dl>
  );
}
