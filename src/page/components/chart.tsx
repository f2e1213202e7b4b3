import { useEffect, useRef } from 'preact/hooks';
import type UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { shortNumber } from '../text/numbers.ts';
import { axisTime } from '../text/times.ts';
import { isUtc, theme } from '../theme/preferences.ts';

export interface ChartSeries {
  readonly name: string;
  /** One for each time; null: no value. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  /** What the chart shows, for assistive technology. */
  readonly label: string;
  /** Milliseconds, ascending. */
  readonly timesMs: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly height?: number;
  /** A horizontal line, such as the level of an alert. */
  readonly level?: number | undefined;
  readonly formatValue?: (value: number) => string;
}

const COLOURS = 8;

/** Lines over time with uPlot. Colours come from the theme; a table beside the chart must give the same values. */
export function Chart(props: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { timesMs, series, height = 220, level } = props;
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    let close = () => {};
    let isOpen = true;
    // A large part of the page, and only some pages need it.
    void import('uplot').then(({ default: Plot }) => {
      if (isOpen) close = drawn(new Plot(optionsOf(props, element), dataOf(props), element), element, height);
    });
    return () => {
      isOpen = false;
      close();
    };
  }, [timesMs, series, height, level, theme.value, isUtc.value]);
  return <div ref={frame} class="chart" role="img" aria-label={props.label} />;
}

/** Keeps the width of the chart at that of its frame. Returns what removes it. */
function drawn(plot: UPlot, element: HTMLElement, height: number): () => void {
  const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
  observer.observe(element);
  return () => {
    observer.disconnect();
    plot.destroy();
  };
}

function dataOf({ timesMs, series, level }: ChartProps): UPlot.AlignedData {
  const levels = level === undefined ? [] : [timesMs.map(() => level)];
  return [timesMs.map((ms) => ms / 1000), ...series.map(({ values }) => [...values]), ...levels];
}

function optionsOf(
  { timesMs, series, height = 220, level, formatValue = shortNumber }: ChartProps,
  element: HTMLElement,
): UPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = '11px system-ui, sans-serif';
  const axis = {
    stroke: colour('--muted'),
    font,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const spanMs = (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0);
  const lines = series.map(({ name }, at) => ({
    label: name,
    stroke: colour(`--series-${(at % COLOURS) + 1}`),
    width: 1.5,
    points: { show: timesMs.length < 3 },
    value: (_: UPlot, value: number | null) => (value === null ? '-' : formatValue(value)),
  }));
  const levelLine =
    level === undefined
      ? []
      : [
          {
            label: 'level',
            stroke: colour('--error'),
            width: 1,
            dash: [6, 4],
            points: { show: false },
            value: () => formatValue(level),
          },
        ];
  return {
    width: element.clientWidth,
    height,
    cursor: { points: { size: 6 } },
    legend: { live: true },
    series: [
      {
        value: (_: UPlot, value: number | null) =>
          value === null ? '-' : axisTime(new Date(value * 1000), { isUtc: isUtc.peek(), spanMs }),
      },
      ...lines,
      ...levelLine,
    ],
    axes: [
      {
        ...axis,
        size: 28,
        values: (_, splits) =>
          splits.map((at) => axisTime(new Date(at * 1000), { isUtc: isUtc.peek(), spanMs })),
      },
      { ...axis, size: 56, values: (_, splits) => splits.map((value) => formatValue(value)) },
    ],
  };
}
