import { useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { timeText } from '../text/times.ts';
import { isUtc } from '../theme/preferences.ts';
import { PRESETS, spanOf, type TimeRange } from './time-range.ts';
import './ranges.css';

interface RangeButtonProps {
  readonly range: TimeRange;
  readonly onRange: (range: TimeRange) => void;
}

/** Shows the time range, and opens the choice of another one. */
export function RangeButton({ range, onRange }: RangeButtonProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button icon="down" class="range-button" label="Choose the time range" onClick={() => setOpen(true)}>
        {rangeTitle(range)}
      </Button>
      {isOpen && (
        <RangeDialog
          range={range}
          onClose={() => setOpen(false)}
          onRange={(next) => {
            setOpen(false);
            onRange(next);
          }}
        />
      )}
    </>
  );
}

export function rangeTitle({ from, to }: TimeRange): string {
  if (to === undefined)
    return PRESETS.find((preset) => preset.from === from)?.title ?? `Since ${momentTitle(from)}`;
  return `${momentTitle(from)} to ${momentTitle(to)}`;
}

function momentTitle(moment: string): string {
  return /^\d+[smhdw]$/.test(moment) ? `${moment} ago` : timeText(moment, { isUtc: isUtc.value, digits: 0 });
}

function RangeDialog({ range, onRange, onClose }: RangeButtonProps & { readonly onClose: () => void }) {
  const [from, setFrom] = useState(editable(range.from));
  const [to, setTo] = useState(range.to === undefined ? '' : editable(range.to));
  const next = { from: stored(from), to: to.trim() === '' ? undefined : stored(to) };
  const isValid = spanOf(next, Date.now()) !== undefined;
  return (
    <Dialog title="Time range" onClose={onClose}>
      <div class="presets">
        {PRESETS.map((preset) => (
          <Button
            key={preset.from}
            isPressed={range.to === undefined && range.from === preset.from}
            onClick={() => onRange({ from: preset.from, to: undefined })}
          >
            {preset.title}
          </Button>
        ))}
      </div>
      <form
        class="range-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isValid) onRange(next);
        }}
      >
        <div class="field">
          <label for="range-from">From</label>
          <input
            id="range-from"
            class="mono"
            value={from}
            onInput={(event) => setFrom(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for="range-to">To</label>
          <input
            id="range-to"
            class="mono"
            value={to}
            placeholder="now"
            onInput={(event) => setTo(event.currentTarget.value)}
          />
        </div>
        <Button kind="primary" type="submit" isDisabled={!isValid}>
          Apply
        </Button>
      </form>
      <p class={isValid ? 'muted' : 'field-error'} role={isValid ? undefined : 'alert'}>
        {isValid
          ? `Times are ${isUtc.value ? 'UTC' : 'local'}, such as 2026-01-31 10:00, or a time before now: 90s, 15m, 2h, 7d.`
          : 'Write times as 2026-01-31 10:00 or 15m; the range must begin before it ends.'}
      </p>
    </Dialog>
  );
}

function editable(moment: string): string {
  return /^\d{4}-/.test(moment) ? timeText(moment, { isUtc: isUtc.peek(), digits: 0 }) : moment;
}

/** A time without a zone is in the zone that the page shows. */
function stored(text: string): string {
  const trimmed = text.trim();
  const [, day, time] = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?$/.exec(trimmed) ?? [];
  if (day === undefined) return trimmed;
  const date = new Date(`${day}T${time ?? '00:00'}${isUtc.peek() ? 'Z' : ''}`);
  return Number.isNaN(date.getTime()) ? trimmed : date.toISOString();
}
