import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import { durationText } from '../monitor/terminal/time-text.ts';
import { count } from '../output/text-table.ts';

/** Texts of the cells of `top`. A value that is not known is a minus. */
export const UNKNOWN_TEXT = '-';

export function bytesText(bytes: number): string {
  return formatByteSize(Math.round(bytes));
}

export function bytesRateText(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN_TEXT : `${bytesText(bytes)}/s`;
}

/** A slow rate is not none. */
export function rateText(records: number | undefined): string {
  if (records === undefined) return UNKNOWN_TEXT;
  return records < 10 ? String(records) : count(Math.round(records));
}

export function lagText(seconds: number | undefined): string {
  return seconds === undefined ? UNKNOWN_TEXT : durationText(seconds);
}

/** Time to catch up with a backlog. */
export function endText(seconds: number | undefined, backlog: number): string {
  if (backlog === 0) return UNKNOWN_TEXT;
  if (seconds === undefined) return 'never';
  return seconds > MOST_SECONDS ? '>1y' : durationText(seconds);
}

const MOST_SECONDS = 365 * 86_400;
