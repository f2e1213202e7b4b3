import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../components/toast.tsx';
import { VirtualList, type VirtualListHandle } from '../components/virtual-list.tsx';
import { type KeyBinding, useKeys } from '../keyboard/keys.ts';
import { visibleText } from '../text/visible-text.ts';
import { type Column, minWidthOf } from './columns.ts';
import { fieldValue } from './entry-fields.ts';
import type { LogEntry } from './log-entry.ts';
import { changeCondition, focusedValue, recordHref } from './record-actions.ts';
import { RecordCells, rowClass } from './record-cells.tsx';
import { RecordDetail } from './record-detail.tsx';
import './records.css';

export const ROW_HEIGHT = 24;

export interface RecordListProps {
  readonly label: string;
  readonly entries: readonly LogEntry[];
  /**
   * The number of the first entry. It grows when entries are removed at the start and falls when some are added there,
   * so each entry keeps its number, and the view its place.
   */
  readonly base: number;
  readonly columns: readonly Column[];
  readonly head?: ComponentChildren;
  /** The number of the opened entry. */
  readonly opened: number | undefined;
  readonly onOpened: (opened: number | undefined) => void;
  readonly onColumn?: (property: string) => void;
  readonly isComplete?: boolean;
  /** The view stays at the end when entries are added there. */
  readonly isFollowing?: boolean;
  /** An entry that is marked, such as the one whose neighbours are shown. */
  readonly marked?: number | undefined;
  /** A row has got the focus. */
  readonly onActive?: () => void;
  readonly onView?: (view: RecordView) => void;
}

export interface RecordView {
  /** The user scrolls towards the start; false for every movement of the list itself. */
  readonly isUpward: boolean;
  /** Pixels between the view and the ends of the list. */
  readonly above: number;
  readonly below: number;
}

/** Records in rows of one line; one of them is opened in place. Rows, cells and actions have keys. */
export function RecordList(props: RecordListProps) {
  const { entries, base, columns, opened, onOpened, marked } = props;
  const list = useRef<VirtualListHandle>(null);
  const [active, setActive] = useState<number | undefined>(undefined);
  const [chosenColumn, setChosenColumn] = useState<string | undefined>(undefined);
  const isMoved = useRef(false);
  const lastTop = useRef(0);
  usePlace(list, props);

  const activeIndex = active === undefined ? -1 : active - base;
  const moveTo = (index: number) => {
    const next = Math.min(Math.max(index, 0), entries.length - 1);
    if (next < 0) return false;
    isMoved.current = true;
    setActive(base + next);
    list.current?.scrollToRow(next);
    return true;
  };
  // After the row is rendered.
  useLayoutEffect(() => {
    if (isMoved.current) list.current?.focusActive();
    isMoved.current = false;
  });
  // Mounted with a record of the address, or with the one whose neighbours are shown.
  const first = opened ?? marked;
  useEffect(() => {
    if (first === undefined) return;
    setActive(first);
    list.current?.scrollToRow(Math.max(0, first - base), 'centre');
  }, [first]);

  const toggle = (index: number) => {
    setActive(base + index);
    const isOpening = opened !== base + index;
    onOpened(isOpening ? base + index : undefined);
    announce(isOpening ? 'Record opened. Its fields follow the row.' : 'Record closed');
  };
  useKeys('Records', recordKeys({ ...props, activeIndex, moveTo, toggle, chosenColumn, setChosenColumn }));
  const openedEntry = opened === undefined ? undefined : entries[opened - base];
  const shownColumn = chosenColumn ?? columns[1]?.property;
  const cells = useRenderedCells([columns, shownColumn]);
  return (
    <VirtualList
      label={props.label}
      count={entries.length}
      rowHeight={ROW_HEIGHT}
      columnCount={columns.length}
      minWidth={minWidthOf(columns)}
      isComplete={props.isComplete ?? true}
      activeRow={activeIndex}
      head={props.head}
      rowKey={(index) => base + index}
      renderRow={(index) => {
        const entry = entries[index];
        if (entry === undefined) return { class: '', cells: null };
        return {
          class: `${rowClass(entry)} ${base + index === marked ? 'marked' : ''}`,
          cells: cells(entry, () => (
            <RecordCells entry={entry} columns={columns} activeColumn={shownColumn} />
          )),
        };
      }}
      opened={
        openedEntry === undefined || opened === undefined
          ? undefined
          : {
              index: opened - base,
              content: (
                <RecordDetail
                  key={opened}
                  entry={openedEntry}
                  columns={columns.map(({ property }) => property)}
                  {...(props.onColumn === undefined ? {} : { onColumn: props.onColumn })}
                  onClose={() => {
                    onOpened(undefined);
                    moveTo(opened - base);
                  }}
                />
              ),
            }
      }
      onActivate={(index) => {
        setActive(base + index);
        props.onActive?.();
      }}
      onOpen={toggle}
      onScroll={({ top, height, total }) => {
        const isUpward = top < lastTop.current;
        lastTop.current = top;
        props.onView?.({ above: top, below: total - top - height, isUpward });
      }}
      listRef={list}
    />
  );
}

/**
 * Returns the same element for an entry as at the previous rendering, so that a row that stays in view while one scrolls
 * is not compared again. Only rows of the previous rendering are kept.
 */
function useRenderedCells(inputs: readonly unknown[]) {
  const previous = useRef(new Map<LogEntry, VNode>());
  const isSame = useRef<readonly unknown[]>(inputs);
  const known = isSame.current.every((input, at) => input === inputs[at]) ? previous.current : new Map();
  const present = new Map<LogEntry, VNode>();
  previous.current = present;
  isSame.current = inputs;
  return (entry: LogEntry, render: () => VNode): VNode => {
    const cells = known.get(entry) ?? render();
    present.set(entry, cells);
    return cells;
  };
}

/** Keeps the rows in view where they are when entries are added or removed above them. */
function usePlace(
  list: { readonly current: VirtualListHandle | null },
  { base, entries, isFollowing = false }: RecordListProps,
): void {
  const before = useRef({ base, count: entries.length });
  useLayoutEffect(() => {
    const shift = before.current.base - base;
    if (isFollowing) list.current?.scrollToEnd();
    else if (shift !== 0 && before.current.count > 0) list.current?.shift(shift * ROW_HEIGHT);
    before.current = { base, count: entries.length };
  }, [base, entries.length, isFollowing, entries]);
}

interface RecordKeysOptions extends RecordListProps {
  readonly activeIndex: number;
  readonly moveTo: (index: number) => boolean;
  readonly toggle: (index: number) => void;
  readonly chosenColumn: string | undefined;
  readonly setChosenColumn: (property: string) => void;
}

function recordKeys(options: RecordKeysOptions): readonly KeyBinding[] {
  const { entries, activeIndex, moveTo, toggle } = options;
  const down = () => moveTo(activeIndex + 1);
  const up = () => moveTo(Math.max(activeIndex, 1) - 1);
  const inList = (run: () => unknown) => () =>
    document.activeElement?.matches('.row, .list, body, main') === true ? run() : false;
  return [
    { key: 'j', description: 'Next record', run: down },
    { key: 'k', description: 'Previous record', run: up },
    { key: 'ArrowDown', description: 'Next record', run: inList(down) },
    { key: 'ArrowUp', description: 'Previous record', run: inList(up) },
    { key: 'Home', description: 'First record', run: inList(() => moveTo(0)) },
    { key: 'End', description: 'Last record that is loaded', run: inList(() => moveTo(entries.length - 1)) },
    {
      key: 'ArrowLeft',
      description: 'Choose the value to the left',
      run: inList(() => chooseColumn(options, -1)),
    },
    {
      key: 'ArrowRight',
      description: 'Choose the value to the right',
      run: inList(() => chooseColumn(options, 1)),
    },
    {
      key: 'Enter',
      description: 'Open or close the record',
      run: inList(() => activeIndex >= 0 && toggle(activeIndex)),
    },
    { key: 'Escape', description: 'Close the record', run: () => close(options) },
    {
      key: 'c',
      description: 'Context: the neighbours in its stream',
      run: () => openContext(entries[activeIndex]),
    },
    { key: 'f', description: 'Include the chosen value', run: () => change(options, false) },
    { key: 'x', description: 'Exclude the chosen value', run: () => change(options, true) },
  ];
}

function close({ opened, onOpened, moveTo, base }: RecordKeysOptions): boolean {
  if (opened === undefined) return false;
  onOpened(undefined);
  moveTo(opened - base);
  return true;
}

function openContext(entry: LogEntry | undefined): boolean {
  if (entry === undefined) return false;
  window.location.hash = recordHref(entry);
  return true;
}

function chooseColumn(options: RecordKeysOptions, by: number): boolean {
  const { columns, chosenColumn, setChosenColumn, entries, activeIndex } = options;
  const at = columns.findIndex(({ property }) => property === (chosenColumn ?? columns[1]?.property));
  const next = columns[Math.min(Math.max(at + by, 0), columns.length - 1)];
  const entry = entries[activeIndex];
  if (next === undefined || entry === undefined) return false;
  setChosenColumn(next.property);
  announce(
    `${next.property}: ${visibleText(String(fieldValue(entry, next.property) ?? 'no value').slice(0, 200))}`,
  );
  return true;
}

/** The value with the focus, or that of the chosen column. */
function change(options: RecordKeysOptions, isExcluded: boolean): boolean {
  const { columns, chosenColumn, entries, activeIndex } = options;
  const property = chosenColumn ?? columns[1]?.property ?? '';
  const entry = entries[activeIndex];
  const value = entry === undefined ? undefined : fieldValue(entry, property);
  const target = focusedValue() ?? (value === undefined ? undefined : { property, value });
  if (target === undefined) return false;
  changeCondition({ ...target, isExcluded });
  return true;
}
