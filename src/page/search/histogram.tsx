import { useRef, useState } from 'preact/hooks';
import type { Span } from '../ranges/time-range.ts';
import { wholeNumber } from '../text/numbers.ts';
import { axisTime, timeText } from '../text/times.ts';
import { isUtc } from '../theme/preferences.ts';
import { type Bar, severityCounts, spanOfBars, stackOf } from './histogram-bars.ts';

export interface HistogramAnswer {
  readonly intervalSeconds: number;
  readonly total: number;
  readonly bars: readonly Bar[];
}

interface HistogramProps {
  readonly histogram: HistogramAnswer;
  readonly onSpan: (span: Span) => void;
}

interface Selection {
  /** Where the pointer went down, or the first bar of the selection by keys. */
  readonly anchor: number;
  readonly bar: number;
}

/** Counts over time, stacked by severity. Dragging selects a shorter range; so do the arrow keys with Shift, and Enter. */
export function Histogram({ histogram, onSpan }: HistogramProps) {
  const { bars, intervalSeconds } = histogram;
  const [selection, setSelection] = useState<Selection | undefined>(undefined);
  const isDragging = useRef(false);
  const frame = useRef<HTMLDivElement>(null);
  const barAt = (clientX: number) => {
    const box = frame.current?.getBoundingClientRect();
    const share = box === undefined ? 0 : (clientX - box.left) / box.width;
    return Math.min(Math.max(Math.floor(share * bars.length), 0), bars.length - 1);
  };
  const apply = (chosen: Selection) => {
    const span = spanOfBars(bars, { first: chosen.anchor, last: chosen.bar, intervalSeconds });
    setSelection(undefined);
    if (span !== undefined) onSpan(span);
  };
  const bar = selection === undefined ? undefined : bars[selection.bar];
  const onKeyDown = (event: KeyboardEvent) => {
    const present = selection ?? { anchor: bars.length - 1, bar: bars.length - 1 };
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (event.key === 'Escape') setSelection(undefined);
    else if (event.key === 'Enter' && selection !== undefined) apply(selection);
    else if (step !== 0) {
      const next = Math.min(Math.max(present.bar + (selection === undefined ? 0 : step), 0), bars.length - 1);
      setSelection({ anchor: event.shiftKey ? present.anchor : next, bar: next });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="histogram">
      <p class="histogram-info" aria-hidden="true">
        {bar === undefined ? '' : barText(bar, intervalSeconds)}
      </p>
      <div
        ref={frame}
        class="histogram-frame"
        role="slider"
        tabIndex={0}
        aria-label="Records over time. Arrow keys choose a bar, with Shift several; Enter shows only these"
        aria-valuemin={0}
        aria-valuemax={bars.length - 1}
        aria-valuenow={selection?.bar ?? bars.length - 1}
        aria-valuetext={
          bar === undefined ? `${wholeNumber(histogram.total)} records` : barText(bar, intervalSeconds)
        }
        onKeyDown={onKeyDown}
        onBlur={() => setSelection(undefined)}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          isDragging.current = true;
          event.currentTarget.setPointerCapture(event.pointerId);
          setSelection({ anchor: barAt(event.clientX), bar: barAt(event.clientX) });
        }}
        onPointerMove={(event) => {
          const at = barAt(event.clientX);
          setSelection((before) => ({ anchor: isDragging.current ? (before?.anchor ?? at) : at, bar: at }));
        }}
        onPointerUp={() => {
          if (isDragging.current && selection !== undefined) apply(selection);
          isDragging.current = false;
        }}
        onPointerLeave={() => {
          if (!isDragging.current) setSelection(undefined);
        }}
        onPointerCancel={() => {
          isDragging.current = false;
          setSelection(undefined);
        }}
      >
        <Bars bars={bars} />
        {selection !== undefined && <Brush selection={selection} count={bars.length} />}
      </div>
      <Axis histogram={histogram} />
    </div>
  );
}

function Bars({ bars }: { readonly bars: readonly Bar[] }) {
  const max = bars.reduce((highest, { count }) => Math.max(highest, count), 1);
  return (
    <svg viewBox={`0 0 ${bars.length} 100`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {bars.map((bar, at) =>
        stackOf(bar, max).map(({ part, y, height }) => (
          <rect
            key={`${at}-${part}`}
            class={`bar-${part}`}
            x={at + 0.08}
            width={0.84}
            y={y}
            height={height}
          />
        )),
      )}
    </svg>
  );
}

function Brush({
  selection: { anchor, bar },
  count,
}: {
  readonly selection: Selection;
  readonly count: number;
}) {
  const first = Math.min(anchor, bar);
  const width = Math.abs(anchor - bar) + 1;
  return (
    <div class="brush" style={{ left: `${(first / count) * 100}%`, width: `${(width / count) * 100}%` }} />
  );
}

const LABELS = [0, 0.25, 0.5, 0.75, 1] as const;

function Axis({ histogram: { bars, intervalSeconds } }: { readonly histogram: HistogramAnswer }) {
  const [first] = bars;
  if (first === undefined) return null;
  const startMs = Date.parse(first.time);
  const spanMs = bars.length * intervalSeconds * 1000;
  return (
    <div class="axis" aria-hidden="true">
      {LABELS.map((share) => (
        <span key={share}>
          {axisTime(new Date(startMs + share * spanMs), { isUtc: isUtc.value, spanMs })}
        </span>
      ))}
    </div>
  );
}

function barText(bar: Bar, intervalSeconds: number): string {
  const end = new Date(Date.parse(bar.time) + intervalSeconds * 1000).toISOString();
  const [from, to] = [bar.time, end].map((time) => timeText(time, { isUtc: isUtc.value, digits: 0 }));
  const counts = severityCounts(bar);
  return `${from} to ${to?.slice(11)}: ${wholeNumber(bar.count)} records${counts === '' ? '' : ` (${counts})`}`;
}
