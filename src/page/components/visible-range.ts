/** Rows of one height; after one of them may be an opened block of another height. */
export interface ListGeometry {
  readonly count: number;
  readonly rowHeight: number;
  /** The block after the row `index`. */
  readonly opened?: { readonly index: number; readonly height: number } | undefined;
}

export interface VisibleRange {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

export function totalHeight({ count, rowHeight, opened }: ListGeometry): number {
  return count * rowHeight + (opened === undefined || opened.index >= count ? 0 : opened.height);
}

/** The upper edge of a row. */
export function offsetOf(index: number, { rowHeight, opened }: ListGeometry): number {
  return index * rowHeight + (opened !== undefined && opened.index < index ? opened.height : 0);
}

/** The row at this height; in the opened block, the row that it belongs to. */
export function rowAt(offset: number, geometry: ListGeometry): number {
  const { count, rowHeight, opened } = geometry;
  const blockTop = opened === undefined ? Number.POSITIVE_INFINITY : (opened.index + 1) * rowHeight;
  const inBlock = opened !== undefined && offset >= blockTop;
  const at =
    inBlock && offset < blockTop + opened.height
      ? opened.index
      : Math.floor((offset - (inBlock ? opened.height : 0)) / rowHeight);
  return Math.min(Math.max(at, 0), Math.max(count - 1, 0));
}

/** The rows to render: those in view, and some more at both sides. */
export function visibleRange(
  geometry: ListGeometry,
  view: { readonly top: number; readonly height: number; readonly overscan: number },
): VisibleRange {
  if (geometry.count === 0) return { first: 0, end: 0 };
  const first = rowAt(view.top, geometry) - view.overscan;
  const last = rowAt(view.top + view.height, geometry) + view.overscan;
  return { first: Math.max(first, 0), end: Math.min(last + 1, geometry.count) };
}

export type Alignment = 'nearest' | 'centre';

/** Where to scroll so that the row is in view; `nearest`: `top` if it is already. */
export function scrollTopFor(
  index: number,
  geometry: ListGeometry,
  {
    top,
    height,
    align = 'nearest',
  }: { readonly top: number; readonly height: number; readonly align?: Alignment },
): number {
  const offset = offsetOf(index, geometry);
  if (align === 'centre') return Math.max(0, offset - (height - geometry.rowHeight) / 2);
  if (offset < top) return offset;
  const bottom = offset + geometry.rowHeight;
  return bottom > top + height ? bottom - height : top;
}
