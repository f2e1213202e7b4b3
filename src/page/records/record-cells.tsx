import { SeverityBadge } from '../components/severity-badge.tsx';
import { TimeText } from '../components/texts.tsx';
import { isPlainText } from '../text/visible-text.ts';
import type { Column } from './columns.ts';
import { fieldValue } from './entry-fields.ts';
import type { LogEntry } from './log-entry.ts';
import { SEVERITIES, type Severity } from './severity.ts';
import { StyledLogText } from './styled-log-text.tsx';

/** More than fits in a row. */
const MAX_CELL_CHARACTERS = 600;

interface RecordCellsProps {
  readonly entry: LogEntry;
  readonly columns: readonly Column[];
  /** The column that `f` and `x` are about. */
  readonly activeColumn?: string | undefined;
}

/** The cells of a row: one line, whatever the record contains. */
export function RecordCells({ entry, columns, activeColumn }: RecordCellsProps) {
  return (
    <>
      {columns.map(({ property, width }, at) => (
        <div
          key={property}
          class={`cell ${width === undefined ? 'rest' : ''} ${property === activeColumn ? 'chosen' : ''}`}
          role="gridcell"
          aria-colindex={at + 1}
          style={width === undefined ? undefined : { width: `${width}px` }}
        >
          {cellContent(entry, property, width)}
        </div>
      ))}
    </>
  );
}

/** Not a component: a list creates hundreds of cells in a frame while one scrolls. */
function cellContent(entry: LogEntry, property: string, width = Number.POSITIVE_INFINITY) {
  const value = fieldValue(entry, property);
  if (value === undefined) return null;
  if (property === 'severity')
    return SeverityBadge({ severity: severityOf(value), isShort: width < SHORT_WIDTH });
  if (property === 'time' || property === 'observed_time') {
    return TimeText({ time: String(value), characters: (width - PADDING) / CHARACTER_WIDTH });
  }
  const text = String(value).slice(0, MAX_CELL_CHARACTERS);
  return isPlainText(text) ? text : <StyledLogText text={text} />;
}

/** Of the fixed-width font of rows. */
const CHARACTER_WIDTH = 7.24;
const PADDING = 16;
/** Only the icon of a severity fits. */
const SHORT_WIDTH = 60;

function severityOf(value: unknown): Severity | null {
  return SEVERITIES.find((each) => each === value) ?? null;
}

/** The class of a row: a stripe in the colour of the severity. */
export function rowClass({ severity }: LogEntry): string {
  return `record ${severity ?? 'none'}`;
}
