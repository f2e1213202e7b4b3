export const STACK = ['none', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type StackPart = (typeof STACK)[number];

export interface Bar {
  readonly time: string;
  readonly count: number;
  readonly severities?: Readonly<Partial<Record<StackPart, number>>>;
}

export interface StackedPart {
  readonly part: StackPart;
  /** In percent of the height, from the top. */
  readonly y: number;
  readonly height: number;
}

/** One error among a million records stays visible. */
const MIN_HEIGHT = 2;

/** The parts of a bar from the bottom up. `max`: the count of the highest bar. */
export function stackOf(bar: Bar, max: number): readonly StackedPart[] {
  const { severities = { none: bar.count } } = bar;
  let y = 100;
  return STACK.flatMap((part) => {
    const count = severities[part] ?? 0;
    if (count === 0) return [];
    const height = Math.min(Math.max((count / max) * 100, MIN_HEIGHT), y);
    y -= height;
    return [{ part, y, height }];
  });
}

/** `120 info, 3 error` */
export function severityCounts({ severities = {} }: Bar): string {
  return STACK.filter((part) => (severities[part] ?? 0) > 0)
    .map(
      (part) => `${severities[part]?.toLocaleString('en-US')} ${part === 'none' ? 'without severity' : part}`,
    )
    .join(', ');
}

/** The time of some bars; the last one included. */
export function spanOfBars(
  bars: readonly Bar[],
  {
    first,
    last,
    intervalSeconds,
  }: { readonly first: number; readonly last: number; readonly intervalSeconds: number },
): { readonly fromMs: number; readonly toMs: number } | undefined {
  const [begin, end] = [bars[Math.min(first, last)], bars[Math.max(first, last)]];
  if (begin === undefined || end === undefined) return undefined;
  return { fromMs: Date.parse(begin.time), toMs: Date.parse(end.time) + intervalSeconds * 1000 };
}
