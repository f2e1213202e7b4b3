import { useRef } from 'preact/hooks';
import { type Column, formatColumns, MAX_WIDTH, MIN_WIDTH, withWidth } from './columns.ts';

interface ColumnHeadsProps {
  readonly columns: readonly Column[];
  readonly onChange: (columns: string) => void;
}

const KEY_STEP = 16;

/** The head of the list; the edge of a column changes its width, by pointer or with the arrow keys. */
export function ColumnHeads({ columns, onChange }: ColumnHeadsProps) {
  return (
    <div class="list-head" role="rowgroup">
      <div class="list-head-row" role="row" aria-rowindex={1}>
        {columns.map((column, at) => (
          <div
            key={column.property}
            class={column.width === undefined ? 'cell head rest' : 'cell head'}
            role="columnheader"
            title={column.property}
            aria-colindex={at + 1}
            style={column.width === undefined ? undefined : { width: `${column.width}px` }}
          >
            <span class="head-name">{column.property}</span>
            {column.width !== undefined && (
              <WidthHandle
                property={column.property}
                width={column.width}
                onWidth={(width) => onChange(formatColumns(withWidth(columns, column.property, width)))}
              />
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

interface WidthHandleProps {
  readonly property: string;
  readonly width: number;
  readonly onWidth: (width: number) => void;
}

function WidthHandle({ property, width, onWidth }: WidthHandleProps) {
  const drag = useRef<{ readonly x: number; readonly width: number } | undefined>(undefined);
  return (
    <div
      class="width-handle"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`Width of ${property}`}
      aria-valuenow={width}
      aria-valuemin={MIN_WIDTH}
      aria-valuemax={MAX_WIDTH}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => {
        if (drag.current !== undefined) onWidth(drag.current.width + event.clientX - drag.current.x);
      }}
      onPointerUp={() => {
        drag.current = undefined;
      }}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowLeft' ? -KEY_STEP : event.key === 'ArrowRight' ? KEY_STEP : 0;
        if (step === 0) return;
        event.preventDefault();
        onWidth(width + step);
      }}
    />
  );
}
