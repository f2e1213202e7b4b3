import { describe, expect, it } from 'vitest';
import {
  columnsOf,
  formatColumns,
  MAX_WIDTH,
  MIN_WIDTH,
  minWidthOf,
  movedColumn,
  toggleColumn,
  withoutEmptyColumns,
  withWidth,
} from '../../../src/page/records/columns.ts';
import { mockRecord } from '../support/mock-records.ts';

const wide = { isNarrow: false };
const names = (columns: readonly { readonly property: string }[]) => columns.map(({ property }) => property);

describe('the columns', () => {
  it('are in the address, with their widths', () => {
    const columns = columnsOf('time:180,host.name:120,body', wide);
    expect(columns).toEqual([
      { property: 'time', width: 180 },
      { property: 'host.name', width: 120 },
      { property: 'body', width: undefined },
    ]);
    expect(formatColumns(columns)).toBe('time:180,host.name:120,body');
  });

  it('are fewer on a narrow screen, as long as none are chosen', () => {
    expect(names(columnsOf(undefined, { isNarrow: true }))).toEqual(['time', 'severity', 'body']);
    expect(minWidthOf(columnsOf(undefined, { isNarrow: true }))).toBeLessThanOrEqual(362);
    expect(columnsOf('', wide).length).toBeGreaterThan(3);
  });

  it('have limits for widths, and no column twice', () => {
    expect(columnsOf('a:1,b:99999,a:50', wide)).toEqual([
      { property: 'a', width: MIN_WIDTH },
      { property: 'b', width: MAX_WIDTH },
    ]);
    expect(withWidth(columnsOf('a:100', wide), 'a', -5)).toEqual([{ property: 'a', width: MIN_WIDTH }]);
  });

  it('can have a name with a comma or a colon', () => {
    expect(columnsOf('["a,b"]:80,x', wide)[0]).toEqual({ property: '["a,b"]', width: 80 });
  });

  it('are added before the body, removed and moved; one stays', () => {
    const columns = columnsOf('time,body', wide);
    const more = toggleColumn(columns, 'url.path');
    expect(names(more)).toEqual(['time', 'url.path', 'body']);
    expect(names(movedColumn(more, 'url.path', -1))).toEqual(['url.path', 'time', 'body']);
    expect(movedColumn(more, 'time', -1)).toEqual(more);
    expect(names(toggleColumn(more, 'time'))).toEqual(['url.path', 'body']);
    expect(names(toggleColumn(columnsOf('body', wide), 'body'))).toEqual(['body']);
  });

  it('are left out if no record has a value for them', () => {
    const columns = columnsOf('time,service.name,trace_id,body', wide);
    const entries = [{ ...mockRecord(0, 0, 1), service: null }, mockRecord(1, 0, 2)];
    expect(names(withoutEmptyColumns(columns, entries))).toEqual(['time', 'service.name', 'body']);
    expect(names(withoutEmptyColumns(columns, entries.slice(0, 1)))).toEqual(['time', 'body']);
    expect(withoutEmptyColumns(columns, [])).toEqual(columns);
  });
});
