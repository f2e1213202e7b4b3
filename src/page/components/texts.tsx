import { byteSize, shortNumber, wholeNumber } from '../text/numbers.ts';
import { ageText, fittingTime, timeText, zoneName } from '../text/times.ts';
import { visibleParts } from '../text/visible-text.ts';
import { isUtc } from '../theme/preferences.ts';

interface TimeTextProps {
  readonly time: string;
  readonly digits?: number;
  /** Parts at the start are left out so that the rest fits. */
  readonly characters?: number;
}

/** A moment in the zone that the user chose; the tooltip has the whole time in UTC. */
export function TimeText({ time, digits = 3, characters }: TimeTextProps) {
  return (
    <time dateTime={time} title={`${time} (shown in ${zoneName(isUtc.value, new Date(time))})`}>
      {characters === undefined
        ? timeText(time, { isUtc: isUtc.value, digits })
        : fittingTime(time, { isUtc: isUtc.value, characters })}
    </time>
  );
}

/** `3 min ago`; the tooltip has the time. It is right at the moment of rendering. */
export function AgeText({ time }: { readonly time: string }) {
  return (
    <time dateTime={time} title={timeText(time, { isUtc: isUtc.value })}>
      {ageText(time, Date.now())}
    </time>
  );
}

/** `1.23M`; the tooltip has all digits. */
export function NumberText({ value }: { readonly value: number }) {
  return <span title={wholeNumber(value)}>{shortNumber(value)}</span>;
}

export function BytesText({ bytes }: { readonly bytes: number }) {
  return <span title={`${wholeNumber(bytes)} bytes`}>{byteSize(bytes)}</span>;
}

/** Text from a log or another machine: hidden characters are shown as escapes. `keep`: such as line feeds. */
export function LogText({ text, keep = '' }: { readonly text: string; readonly keep?: string }) {
  const parts = visibleParts(text, keep);
  if (parts.every(({ isEscape }) => !isEscape)) return <>{text}</>;
  return (
    <>
      {parts.map((part, at) =>
        part.isEscape ? (
          <span key={at} class="escape">
            {part.text}
          </span>
        ) : (
          part.text
        ),
      )}
    </>
  );
}
