import type { Severity } from '../records/severity.ts';

/** Shapes differ, not only colours. */
const SHAPES: Readonly<Record<Severity, string>> = {
  trace: 'M4 8h8',
  debug: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6',
  info: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 7.4v3.4M8 5.2v.2',
  warn: 'M8 2.5 14 13H2zM8 6.4v3M8 11v.2',
  error: 'M5.5 2.5h5l3 3v5l-3 3h-5l-3-3v-5zM6 6l4 4M10 6l-4 4',
  fatal: 'M5.5 2.5h5l3 3v5l-3 3h-5l-3-3v-5zM8 5v3.6M8 10.8v.2',
};

interface SeverityBadgeProps {
  readonly severity: Severity | null;
  /** The word is in the tooltip and for assistive technology only. */
  readonly isShort?: boolean;
}

/** An icon and a word; without a severity, a dash. */
export function SeverityBadge({ severity, isShort = false }: SeverityBadgeProps) {
  if (severity === null) return <span class="severity none">-</span>;
  return (
    <span class={`severity ${severity}`} title={isShort ? severity : undefined}>
      <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
        <path d={SHAPES[severity]} />
      </svg>
      <span class={isShort ? 'visually-hidden' : ''}>{severity}</span>
    </span>
  );
}
