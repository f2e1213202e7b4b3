import type { AlertState } from '../api/monitoring.ts';

/** Shapes differ, not only colours. */
const LOOKS: Readonly<Record<AlertState | 'unchecked', { readonly text: string; readonly path: string }>> = {
  firing: { text: 'firing', path: 'M8 2.5 14 13H2zM8 6.4v3M8 11v.2' },
  'no-data': { text: 'no data', path: 'M3 8h10' },
  ok: { text: 'ok', path: 'M3.5 8.5 6.5 11.5 12.5 5' },
  unchecked: { text: 'not checked yet', path: 'M8 3v5l3 2' },
};

export function StateBadge({ state }: { readonly state: AlertState | undefined }) {
  const { text, path } = LOOKS[state ?? 'unchecked'];
  return (
    <span class={`alert-state ${state ?? 'unchecked'}`}>
      <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
        <path d={path} />
      </svg>
      {text}
    </span>
  );
}
