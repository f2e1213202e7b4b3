import type { TapPoints } from '../../tap/tap-request.ts';
import { printable, textTable } from '../output/text-table.ts';
import type { TapTarget } from './tap-target.ts';

/** The points of a process, for people. */
export function pointsText(
  { role, place }: Pick<TapTarget, 'role' | 'place'>,
  { points, omitted }: TapPoints,
  width: number | undefined,
): string {
  const rows = points.map(({ point, description }) => [printable(point), printable(description)]);
  const more = omitted > 0 ? `and ${omitted} more files and streams\n` : '';
  const columns = [
    { title: 'point', wraps: true as const },
    { title: 'records', wraps: true as const },
  ];
  return `${role}  ${printable(place)}\n${textTable(columns, rows, width)}${more}`;
}
