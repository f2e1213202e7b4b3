import type { ComponentChildren, Ref } from 'preact';
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Alignment, offsetOf, scrollTopFor, totalHeight, visibleRange } from './visible-range.ts';

export interface VirtualListHandle {
  readonly scrollToRow: (index: number, align?: Alignment) => void;
  readonly scrollToEnd: () => void;
  /** Moves the view by this many pixels: rows were added above it. */
  readonly shift: (pixels: number) => void;
  readonly focusActive: () => void;
}

export interface VirtualListProps {
  readonly count: number;
  readonly rowHeight: number;
  readonly label: string;
  /** The row that has the focus when the list gets it; it is rendered even out of view, so that it keeps the focus. */
  readonly activeRow: number;
  /** A row with its cells, for `role=row`. */
  readonly renderRow: (index: number) => RowContent;
  /** The block that is opened after a row. */
  readonly opened?: { readonly index: number; readonly content: ComponentChildren } | undefined;
  /** Identifies a row when rows are added above it. */
  readonly rowKey?: (index: number) => string | number;
  readonly head?: ComponentChildren;
  readonly columnCount: number;
  readonly minWidth?: number | undefined;
  readonly onScroll?: (view: {
    readonly top: number;
    readonly height: number;
    readonly total: number;
  }) => void;
  readonly onActivate?: (index: number) => void;
  readonly onOpen?: (index: number) => void;
  /** false: more rows can be loaded, and their number is not known. */
  readonly isComplete?: boolean;
  readonly listRef?: Ref<VirtualListHandle>;
}

export interface RowContent {
  readonly class: string;
  readonly cells: ComponentChildren;
}

const OVERSCAN = 6;
const UNMEASURED_HEIGHT = 240;

/** A grid of any number of rows that renders only those in view. Rows have one height; one may be opened. */
export function VirtualList(props: VirtualListProps) {
  const { count, rowHeight, activeRow, opened } = props;
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [blockHeight, setBlockHeight] = useState(UNMEASURED_HEIGHT);
  const headHeight = props.head === undefined ? 0 : rowHeight;
  const geometry = {
    count,
    rowHeight,
    opened: opened === undefined ? undefined : { index: opened.index, height: blockHeight },
  };

  const measure = () => {
    const { scrollTop, clientHeight } = frame.current ?? { scrollTop: 0, clientHeight: 0 };
    const height = Math.max(clientHeight - headHeight, rowHeight);
    setView((before) =>
      before.top === scrollTop && before.height === height ? before : { top: scrollTop, height },
    );
    props.onScroll?.({ top: scrollTop, height, total: totalHeight(geometry) });
  };
  useResizeObserver(frame, measure);
  useImperativeHandle(
    props.listRef ?? null,
    () => ({
      scrollToRow: (index, align = 'nearest') => {
        if (frame.current === null) return;
        const { scrollTop, clientHeight } = frame.current;
        const present = { top: scrollTop, height: clientHeight - headHeight };
        frame.current.scrollTop = scrollTopFor(index, geometry, { ...present, align });
      },
      scrollToEnd: () => {
        if (frame.current !== null) frame.current.scrollTop = totalHeight(geometry);
      },
      shift: (pixels) => {
        if (frame.current !== null) frame.current.scrollTop += pixels;
      },
      focusActive: () => frame.current?.querySelector<HTMLElement>('.row[tabindex="0"]')?.focus(),
    }),
    [count, view, blockHeight, opened?.index],
  );

  const { first, end } = visibleRange(geometry, { ...view, overscan: OVERSCAN });
  const indexes = Array.from({ length: end - first }, (_, at) => first + at);
  if (activeRow >= 0 && activeRow < count && (activeRow < first || activeRow >= end)) indexes.push(activeRow);
  return (
    <div
      ref={frame}
      class="list"
      role="grid"
      aria-label={props.label}
      aria-rowcount={props.isComplete === false ? -1 : count + (props.head === undefined ? 0 : 1)}
      aria-colcount={props.columnCount}
      onScroll={measure}
      tabIndex={count === 0 ? 0 : -1}
    >
      {props.head}
      <div
        class="list-rows"
        role="rowgroup"
        style={{
          height: `${totalHeight(geometry)}px`,
          minWidth: props.minWidth === undefined ? '100%' : `${props.minWidth}px`,
        }}
      >
        {indexes.map((index) => {
          const row = props.renderRow(index);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the page, for the focused row
            <div
              key={props.rowKey?.(index) ?? index}
              class={`row ${row.class} ${index === activeRow ? 'active' : ''}`}
              role="row"
              aria-rowindex={index + (props.head === undefined ? 1 : 2)}
              aria-selected={index === activeRow}
              tabIndex={index === activeRow || (activeRow < 0 && index === first) ? 0 : -1}
              style={{ transform: `translateY(${offsetOf(index, geometry)}px)` }}
              data-row={index}
              onFocus={() => props.onActivate?.(index)}
              onClick={() => {
                if (window.getSelection()?.isCollapsed !== false) props.onOpen?.(index);
              }}
            >
              {row.cells}
            </div>
          );
        })}
        {opened !== undefined && opened.index < count && (
          <OpenedBlock
            top={offsetOf(opened.index, geometry) + rowHeight}
            columnCount={props.columnCount}
            onHeight={setBlockHeight}
          >
            {opened.content}
          </OpenedBlock>
        )}
      </div>
    </div>
  );
}

interface OpenedBlockProps {
  readonly top: number;
  readonly columnCount: number;
  readonly onHeight: (height: number) => void;
  readonly children: ComponentChildren;
}

function OpenedBlock({ top, columnCount, onHeight, children }: OpenedBlockProps) {
  const block = useRef<HTMLDivElement>(null);
  useResizeObserver(block, () => onHeight(block.current?.offsetHeight ?? UNMEASURED_HEIGHT));
  return (
    <div ref={block} class="row-opened" role="row" style={{ transform: `translateY(${top}px)` }}>
      <div role="gridcell" aria-colspan={columnCount}>
        {children}
      </div>
    </div>
  );
}

function useResizeObserver(element: { readonly current: HTMLElement | null }, onResize: () => void): void {
  const latest = useRef(onResize);
  latest.current = onResize;
  useLayoutEffect(() => latest.current(), []);
  useEffect(() => {
    const observer = new ResizeObserver(() => latest.current());
    if (element.current !== null) observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
}
