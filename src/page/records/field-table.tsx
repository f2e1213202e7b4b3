import { Button } from '../components/button.tsx';
import { SeverityBadge } from '../components/severity-badge.tsx';
import { LogText, TimeText } from '../components/texts.tsx';
import { ConditionButtons } from './condition-buttons.tsx';
import { CutText } from './cut-text.tsx';
import { type EntryField, fieldsOf } from './entry-fields.ts';
import type { LogEntry } from './log-entry.ts';
import { valueAttributes } from './record-actions.ts';

interface FieldTableProps {
  readonly entry: LogEntry;
  /** Absent: the list has no columns to choose. */
  readonly columns?: readonly string[];
  readonly onColumn?: (property: string) => void;
}

/** Each value of a record, with what one can do with it. */
export function FieldTable({ entry, columns = [], onColumn }: FieldTableProps) {
  return (
    <table class="fields">
      <caption class="visually-hidden">Fields of the record</caption>
      <tbody>
        {fieldsOf(entry).map((field) => (
          <tr key={field.property} tabIndex={0} {...valueAttributes(field.property, field.value)}>
            <th scope="row">
              <LogText text={field.property} />
            </th>
            <td class="field-actions">
              <ConditionButtons property={field.property} value={field.value} />
              {onColumn !== undefined && (
                <Button
                  kind="quiet"
                  icon="columns"
                  class="small"
                  label={`Column ${field.property}`}
                  isPressed={columns.includes(field.property)}
                  onClick={() => onColumn(field.property)}
                />
              )}
            </td>
            <td class="field-value">
              <Value entry={entry} field={field} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Value({
  entry,
  field: { property, value },
}: {
  readonly entry: LogEntry;
  readonly field: EntryField;
}) {
  if (property === 'severity') {
    return (
      <>
        <SeverityBadge severity={entry.severity} /> <span class="muted">{entry.severityNumber}</span>
      </>
    );
  }
  if (property === 'time' || property === 'observed_time')
    return <TimeText time={String(value)} digits={6} />;
  if (value === null) return <span class="muted">null</span>;
  return <CutText text={String(value)} />;
}
